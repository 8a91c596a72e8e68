//! The page `/api`: the document for people, without a script and without a network.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use crate::web::Site;
use crate::web::api::{document, table};
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;

#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    frame: Frame,
    about: String,
    operations: Vec<Shown>,
    schemas: Vec<(String, String)>,
}

struct Shown {
    id: String,
    method: String,
    path: String,
    says: String,
    scope: String,
    parameters: Vec<Parameter>,
    body: Option<String>,
    answer: String,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    schema: String,
}

/// The page.
pub(in crate::web) async fn show(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    let document = document::value(&table());
    let title = visitor.tongue.say("Giao diện cho chương trình", "Interface for programs");
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    frame::page(&Page {
        frame: Frame::new(&site, &visitor, title),
        about: text(&document["info"]["description"]),
        operations: operations(&document),
        schemas: schemas.map(|(name, schema)| (name.clone(), pretty(schema))).collect(),
    })
}

fn operations(document: &Value) -> Vec<Shown> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let each = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| shown(path, method, operation))
    });
    each.collect()
}

fn shown(path: &str, method: &str, operation: &Value) -> Shown {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameter = |parameter: &Value| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        schema: parameter["schema"].to_string(),
    };
    let responses = operation["responses"].as_object().into_iter().flatten();
    let well = responses.filter(|(status, _)| status.starts_with('2')).map(|(status, answer)| {
        let kinds = answer["content"].as_object().into_iter().flatten();
        let kinds: Vec<String> = kinds
            .map(|(kind, content)| format!("{kind}\n{}", pretty(&content["schema"])))
            .collect();
        format!("{status} {}", kinds.join("\n"))
    });
    let body = operation.get("requestBody").map(|body| pretty(&body["content"]));
    Shown {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: format!("/api/v1{path}"),
        says: text(&operation["summary"]),
        scope: text(&operation["x-scope"]),
        parameters: parameters.map(parameter).collect(),
        body,
        answer: well.collect::<Vec<_>>().join("\n"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
