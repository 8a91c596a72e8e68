//! The interface as its programs meet it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::operation::Line;
use super::{document, table};
use crate::access::Action;
use crate::digest::Digest;
use crate::server::NewToken;
use crate::web::routes;
use crate::web::tests::{Town, read};

const DUTIES: [&str; 8] = [
    "contributor",
    "announcer",
    "reviewer",
    "leader",
    "officer",
    "operator",
    "inspector",
    "administrator",
];

impl Town {
    /// A token of somebody with everything that their duties allow.
    pub(super) async fn token(&self, person: &str) -> String {
        let duties = self.site.station.person(&person.parse().unwrap()).await.unwrap().1;
        let may = |action: &Action| action.duties().iter().any(|duty| duties.hold(*duty));
        let scopes: Vec<&str> = Action::ALL.iter().filter(|a| may(a)).map(|a| a.word()).collect();
        self.token_with(person, &scopes.join(","), Duration::from_hours(1)).await
    }

    async fn token_with(&self, person: &str, scopes: &str, lasts: Duration) -> String {
        let name = format!("{person}-{}", self.site.station.store.tokens().await.unwrap().len());
        let new = NewToken {
            name: name.parse().unwrap(),
            person: person.parse().unwrap(),
            scopes: scopes.parse().unwrap(),
            lasts,
        };
        self.site.station.make_token(&new, None).await.unwrap()
    }

    async fn sends(&self, request: axum::http::request::Builder, body: Body) -> Response {
        let request: Request = request.body(body).unwrap();
        routes::router(std::sync::Arc::clone(&self.site)).oneshot(request).await.unwrap()
    }

    /// One call, with the answer as JSON.
    pub(super) async fn calls(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let (status, text) = read(self.sends(request, body).await).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    pub(super) async fn looks(&self, path: &str, token: &str) -> (StatusCode, Value) {
        self.calls(Method::GET, path, token, None, &[]).await
    }
}

fn example(path: &str) -> String {
    path.replace("{area}", "mu-ca")
        .replace("{controller}", "mu-ca-1")
        .replace("{person}", "inspector")
        .replace("{language}", "vi")
        .replace("{entry}", "0")
        .replace("{form}", "gaps")
        .replace("{bulletin}", "none")
        .replace("{question}", "none")
        .replace("{emergency}", "none")
        .replace("{upload}", "none")
        .replace("{programme}", "none")
}

async fn row(town: &Town, line: &Line, tokens: &[String]) -> String {
    let mut row = format!("| {} `/api/v1{}` |", line.method, line.path);
    let visitors = std::iter::once("").chain(tokens.iter().map(String::as_str));
    for token in visitors {
        let path = example(line.path);
        let (status, told) = town.calls(line.method.clone(), &path, token, None, &[]).await;
        let cell = match status {
            StatusCode::UNAUTHORIZED => "token",
            StatusCode::FORBIDDEN => "–",
            status => {
                assert!(!status.is_server_error(), "{} {path}: {status} {told}", line.method);
                "open"
            }
        };
        let _ = write!(row, " {cell} |");
    }
    row
}

#[tokio::test]
async fn every_operation_lets_in_whom_the_table_in_the_docs_names_and_nobody_else() {
    let mut town = Town::new().await;
    let mut tokens = Vec::new();
    for duty in DUTIES {
        town = town.with(duty, duty).await;
        tokens.push(town.token(duty).await);
    }
    let mut rows = Vec::new();
    for line in table().lines {
        rows.push(row(&town, &line, &tokens).await);
    }
    let table = format!(
        "| operation | nobody | {} |\n|---|{}\n{}\n",
        DUTIES.join(" | "),
        "---|".repeat(9),
        rows.join("\n")
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/routes.md");
    let told = std::fs::read_to_string(path).unwrap_or_default();
    assert!(told.contains(&table), "docs/routes.md should hold this table:\n{table}");
}

#[tokio::test]
async fn a_token_that_is_unknown_over_or_taken_back_opens_nothing() {
    let town = Town::new().await.with("hoa", "inspector").await;
    let token = town.token("hoa").await;
    assert_eq!(town.looks("/me", &token).await.0, StatusCode::OK);
    let over = town.token_with("hoa", "watch", Duration::ZERO).await;
    for bad in ["", "loaban_00", &over] {
        let (status, told) = town.looks("/me", bad).await;
        assert_eq!((status, &told["code"]), (StatusCode::UNAUTHORIZED, &json!("token")), "{bad}");
    }
    town.site.station.revoke_token(&"hoa-0".parse().unwrap(), None).await.unwrap();
    assert_eq!(town.looks("/me", &token).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_may_neither_more_than_its_scopes_nor_more_than_its_person() {
    let town = Town::new().await.with("sua", "operator@mu-ca").await;
    let token = town.token_with("sua", "watch", Duration::from_hours(1)).await;
    let order = json!({ "command": "stop" });
    let to = "/controllers/mu-ca-1/orders";
    let (status, told) = town.calls(Method::POST, to, &token, Some(order), &[]).await;
    assert_eq!((status, &told["code"]), (StatusCode::FORBIDDEN, &json!("scope")));
    let (status, told) = town.looks("/areas/ka-lang/airings", &token).await;
    assert_eq!((status, &told["code"]), (StatusCode::FORBIDDEN, &json!("denied")));
    let beyond = NewToken {
        name: "x".parse().unwrap(),
        person: "sua".parse().unwrap(),
        scopes: "approve".parse().unwrap(),
        lasts: Duration::from_hours(1),
    };
    let refused = town.site.station.make_token(&beyond, None).await.unwrap_err().to_string();
    assert!(refused.contains("sua may not approve"), "{refused}");
}

#[tokio::test]
async fn a_program_of_who_administers_one_commune_reaches_nobody_beyond_it() {
    let town = Town::new().await.with("tri", "administrator").await;
    let town = town.with("mo", "administrator@mu-ca").await.with("hoa", "operator@mu-ca").await;
    let token = town.token("mo").await;
    let (_, people) = town.looks("/people", &token).await;
    let ids: Vec<&str> =
        people.as_array().unwrap().iter().filter_map(|p| p["id"].as_str()).collect();
    assert_eq!(ids, ["hoa", "mo"]);
    for (person, wanted) in [("hoa", StatusCode::OK), ("tri", StatusCode::FORBIDDEN)] {
        let to = format!("/people/{person}/invitation");
        let (status, told) = town.calls(Method::POST, &to, &token, Some(json!({})), &[]).await;
        assert_eq!(status, wanted, "{person}: {told}");
    }
}

#[tokio::test]
async fn a_request_under_one_key_is_done_once_and_answered_alike() {
    let town = Town::new().await.with("hoa", "administrator").await;
    let token = town.token("hoa").await;
    let key = [("idempotency-key", "k-1")];
    let to = "/people/hoa/invitation";
    let (_, first) = town.calls(Method::POST, to, &token, Some(json!({})), &key).await;
    let (_, again) = town.calls(Method::POST, to, &token, Some(json!({})), &key).await;
    assert!(first["link"].as_str().unwrap().contains("/invitation?code="), "{first}");
    assert_eq!(first, again);
    let (_, other) = town.calls(Method::POST, to, &token, Some(json!({})), &[]).await;
    assert_ne!(first, other, "without a key it is done again");
    let else_to = "/schedule/import";
    let (status, told) = town
        .calls(
            Method::POST,
            else_to,
            &token,
            Some(json!({"files": [{"name": "a.toml", "text": ""}]})),
            &key,
        )
        .await;
    assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("key")));
}

#[tokio::test]
async fn a_request_that_was_refused_frees_its_key() {
    let town = Town::new().await.with("hoa", "administrator").await;
    let token = town.token("hoa").await;
    let key = [("idempotency-key", "k-1")];
    let to = "/people/nobody/invitation";
    for _ in 0..2 {
        let (status, _) = town.calls(Method::POST, to, &token, Some(json!({})), &key).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn faults_in_schedule_files_are_told_all_at_once_with_their_lines() {
    let town = Town::new().await.with("hoa", "administrator").await;
    let token = town.token("hoa").await;
    let text = "[[area]]\nid = \"Mù Cả\"\nname = \"x\"\nlevel = \"commune\"\nparent = \"none\"\n";
    let files = json!({ "files": [{ "name": "areas.toml", "text": text }] });
    let (status, told) =
        town.calls(Method::POST, "/schedule/check", &token, Some(files.clone()), &[]).await;
    assert_eq!((status, &told["right"]), (StatusCode::OK, &json!(false)));
    assert_eq!(told["faults"][0]["line"], 2, "{told}");
    let (status, told) =
        town.calls(Method::POST, "/schedule/import", &token, Some(files), &[]).await;
    assert_eq!((status, &told["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("faults")));
    assert_eq!(told["faults"][0]["line"], 2, "{told}");
}

/// Sends a piece; returns status and offset.
async fn piece(town: &Town, token: &str, id: &str, at: u64, bytes: &[u8]) -> (StatusCode, String) {
    let request = Request::builder()
        .method(Method::PATCH)
        .uri(format!("/api/v1/uploads/{id}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/offset+octet-stream")
        .header("upload-offset", at);
    let response = town.sends(request, Body::from(bytes.to_vec())).await;
    let offset = response.headers().get("upload-offset").map(|at| at.to_str().unwrap().to_owned());
    (response.status(), offset.unwrap_or_default())
}

#[tokio::test]
async fn an_upload_goes_on_after_a_cut_where_it_was() {
    let town = Town::new().await.with("an", "announcer").await.with("binh", "announcer").await;
    let (an, binh) = (town.token("an").await, town.token("binh").await);
    let bytes = b"bon tu roi nhau";
    let announced = json!({ "length": 15, "sha256": Digest::of(bytes).to_string() });
    let (status, made) = town.calls(Method::POST, "/uploads", &an, Some(announced), &[]).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = made["upload"].as_str().unwrap();
    assert_eq!(piece(&town, &an, id, 0, &bytes[..6]).await.1, "6");
    assert_eq!(piece(&town, &an, id, 0, &bytes[..6]).await.0, StatusCode::CONFLICT);
    assert_eq!(piece(&town, &binh, id, 6, &bytes[6..]).await.0, StatusCode::NOT_FOUND);
    assert_eq!(town.looks(&format!("/uploads/{id}"), &an).await.1["offset"], 6);
    assert_eq!(piece(&town, &an, id, 6, &bytes[6..]).await.0, StatusCode::NO_CONTENT);
    assert_eq!(town.looks(&format!("/uploads/{id}"), &an).await.1["whole"], true);
}

#[tokio::test]
async fn an_upload_that_is_not_what_was_announced_is_forgotten() {
    let town = Town::new().await.with("an", "announcer").await;
    let an = town.token("an").await;
    let announced = json!({ "length": 4, "sha256": Digest::of(b"1234").to_string() });
    let (_, made) = town.calls(Method::POST, "/uploads", &an, Some(announced), &[]).await;
    let id = made["upload"].as_str().unwrap();
    assert_eq!(piece(&town, &an, id, 0, b"12345").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(piece(&town, &an, id, 0, b"1235").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(town.looks(&format!("/uploads/{id}"), &an).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whatever_is_refused_is_a_problem_with_a_code() {
    let town = Town::new().await.with("hoa", "administrator").await;
    let token = town.token("hoa").await;
    let text = [(header::CONTENT_TYPE.as_str(), "text/plain")];
    let import = "/schedule/import";
    let refused = [
        (town.looks("/nowhere", &token).await, 404, "route"),
        (town.calls(Method::PUT, "/people", &token, None, &[]).await, 405, "method"),
        (town.calls(Method::POST, import, &token, None, &text).await, 415, "kind"),
        (
            town.calls(Method::POST, import, &token, Some(json!({"files": 3})), &[]).await,
            422,
            "wrong",
        ),
        (town.looks("/controllers?area=Mu%20Ca", &token).await, 400, "unreadable"),
        (town.looks("/areas/none/airings", &token).await, 404, "not-there"),
        (town.looks("/log/entries/999999", &token).await, 404, "not-there"),
    ];
    for ((status, told), expected, code) in refused {
        assert_eq!((status.as_u16(), told["code"].as_str()), (expected, Some(code)), "{told}");
        assert!(told["detail"].is_string() && told["detail_vi"].is_string(), "{told}");
        assert_eq!(told["status"], expected);
    }
}

#[test]
fn the_document_is_whole() {
    let document = document::value(&table());
    let text = document.to_string();
    for part in text.split("\"$ref\":\"").skip(1) {
        let reference = part.split('"').next().unwrap();
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let lines = table().lines;
    let names: BTreeSet<&str> = lines.iter().map(|line| line.id).collect();
    assert_eq!(names.len(), lines.len(), "every operation has a name of its own");
    for line in lines {
        let method = line.method.as_str().to_lowercase();
        let parameters = &document["paths"][line.path][&method]["parameters"];
        let told = parameters.as_array().into_iter().flatten();
        let told: BTreeSet<&str> =
            told.filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
        let named: BTreeSet<&str> = line.path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(told, named, "{} {}", line.method, line.path);
    }
}

#[tokio::test]
async fn the_document_is_served_and_can_be_browsed_without_a_token() {
    let town = Town::new().await;
    let (status, text) = town.page("/api/v1/openapi.json", None).await;
    assert_eq!(status, StatusCode::OK);
    let served: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    let (status, page) = town.page("/api", None).await;
    assert_eq!(status, StatusCode::OK);
    for line in table().lines {
        assert!(page.contains(&format!("/api/v1{}", line.path)), "{}", line.path);
    }
}

#[tokio::test]
async fn numbers_for_prometheus_need_a_token_that_watches_the_whole_station() {
    let town = Town::new().await.with("hoa", "inspector").await.with("sua", "operator@mu-ca").await;
    let (hoa, sua) = (town.token("hoa").await, town.token("sua").await);
    let ask = async |token: &str| {
        let request = Request::builder().uri("/metrics");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        read(town.sends(request, Body::empty()).await).await
    };
    assert_eq!(ask("none").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&sua).await.0, StatusCode::FORBIDDEN);
    let (status, text) = ask(&hoa).await;
    assert_eq!(status, StatusCode::OK);
    for line in ["loaban_controllers{health=\"bad\"} 2", "loaban_facts_waiting ", "le=\"+Inf\"}"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn whoever_imports_a_schedule_is_named_in_the_fact() {
    let town = Town::new().await.with("hoa", "administrator").await;
    let token = town.token("hoa").await;
    let file = json!({ "files": [{ "name": "them.toml", "text": "# nothing yet\n" }] });
    let (status, told) =
        town.calls(Method::POST, "/schedule/import", &token, Some(file), &[]).await;
    assert_eq!((status, &told["changed"]), (StatusCode::OK, &json!(1)), "{told}");
    let waiting = town.site.station.store.facts_waiting(100).await.unwrap();
    let last = waiting.iter().rfind(|fact| fact.kind == "schedule.imported").unwrap();
    let who: crate::audit::Actor = last.who.parse().unwrap();
    assert_eq!(who.to_string(), "person:hoa");
}
