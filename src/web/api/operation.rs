//! One operation: its line, its types, its way from a request to an answer.
//!
//! A handler's own argument and result types become the schemas of the document, so the two cannot
//! differ.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::Action;
use crate::digest::Digest;
use crate::id::{AreaId, PersonId};
use crate::server::{Bearer, Station};
use crate::web::Site;
use crate::web::api::once::{self, Answer};
use crate::web::api::problem::Problem;
use crate::web::api::{caller, document};

/// Bytes of a body at most: a schedule of a whole province.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) method: Method,
    /// Below `/api/v1`.
    pub(super) path: &'static str,
    /// The scope that a token needs; `None` where any that counts will do.
    pub(super) scope: Option<Action>,
    /// Its name for programs that are generated from the document.
    pub(super) id: &'static str,
    /// What it does.
    pub(super) says: &'static str,
    /// The status where it went well.
    pub(super) status: StatusCode,
}

/// Reads something.
pub(super) const fn look(
    path: &'static str,
    scope: Action,
    id: &'static str,
    says: &'static str,
) -> Line {
    Line { method: Method::GET, path, scope: Some(scope), id, says, status: StatusCode::OK }
}

/// Changes something.
pub(super) const fn act(
    path: &'static str,
    scope: Action,
    id: &'static str,
    says: &'static str,
) -> Line {
    Line { method: Method::POST, path, scope: Some(scope), id, says, status: StatusCode::OK }
}

/// No parameters, or no fields.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Nothing {}

/// What a handler works with.
pub(super) struct Call<P, I> {
    pub(super) site: Arc<Site>,
    pub(super) who: Bearer,
    pub(super) path: P,
    pub(super) input: I,
}

impl<P, I> Call<P, I> {
    pub(super) fn station(&self) -> &Station {
        &self.site.station
    }

    pub(super) fn by(&self) -> &PersonId {
        &self.who.person.id
    }

    /// Refuses unless a duty allows `action` at `place`.
    pub(super) fn allow(&self, action: Action, place: &[AreaId]) -> Result<(), Problem> {
        self.who.allow(action, place).map_err(Problem::denied)
    }

    /// A place among the few that may take the machine's time at once.
    pub(super) async fn heavy(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
        let vi = "Máy chủ đang bận việc nặng; hãy thử lại sau ít giây.";
        let en = "the server is busy with other heavy questions; try again in some seconds";
        let busy = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", vi, en).after(5);
        self.site.heavy().await.ok_or_else(busy)
    }
}

/// Every operation with its route and its paragraph of the document.
pub(super) struct Table {
    pub(super) lines: Vec<Line>,
    pub(super) router: Router<Arc<Site>>,
    /// The operation objects of the document, by path and method.
    pub(super) paths: BTreeMap<&'static str, serde_json::Map<String, serde_json::Value>>,
    pub(super) generator: SchemaGenerator,
}

impl Default for Table {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into());
        let generator = settings.into_generator();
        Self { lines: vec![], router: Router::new(), paths: BTreeMap::new(), generator }
    }
}

impl Table {
    /// An operation that reads: parameters in path and query, JSON as its answer.
    pub(super) fn read<P, I, O, F, W>(mut self, line: Line, handler: F) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema,
        F: Fn(Call<P, I>) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Result<O, Problem>> + Send,
    {
        let answer = document::json(&self.generator.subschema_for::<O>());
        let query = document::parameters::<I>(&mut self.generator);
        self.describe::<P>(&line, query, None, &answer);
        let status = line.status;
        self.route(line, move |site, who, mut parts, _| {
            let handler = handler.clone();
            async move {
                let path = path(&mut parts).await?;
                let input = Query::<I>::try_from_uri(&parts.uri);
                let Query(input) = input.map_err(|e| Problem::unreadable(&e.body_text()))?;
                let said = handler(Call { site, who, path, input }).await?;
                Ok(answer_of(status, &said)?.into_response())
            }
        })
    }

    /// An operation that changes something: JSON in and out, done once under a key.
    pub(super) fn write<P, I, O, F, W>(mut self, line: Line, handler: F) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema,
        F: Fn(Call<P, I>) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Result<O, Problem>> + Send + 'static,
    {
        let answer = document::json(&self.generator.subschema_for::<O>());
        let body = document::body(&self.generator.subschema_for::<I>());
        let key = vec![document::key_parameter()];
        self.describe::<P>(&line, key, Some(body), &answer);
        let status = line.status;
        self.route(line, move |site, who, mut parts, body| {
            let handler = handler.clone();
            async move {
                let path: P = path(&mut parts).await?;
                let key = once::key(&parts.headers)?;
                let bytes = json_bytes(&parts, body).await?;
                let input: I = parsed(&bytes)?;
                let request = digest(&who, &parts, &bytes);
                let token = who.token.name.clone();
                let call = Call { site: Arc::clone(&site), who, path, input };
                // A program that goes away in the middle must not leave the work half done.
                let work = async move {
                    let work = async { answer_of(status, &handler(call).await?) };
                    match key {
                        Some(key) => once::once(&site, &token, &key, request, work).await,
                        None => work.await,
                    }
                };
                let done = tokio::spawn(work).await;
                let done = done.map_err(|e| crate::server::ServerError::Task(e.to_string()))?;
                Ok(done?.into_response())
            }
        })
    }

    /// An operation that reads requests or writes answers of its own kind.
    pub(super) fn raw<P, F, W>(mut self, line: Line, told: document::Told, handler: F) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        F: Fn(Call<P, Parts>, Body) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Result<Response, Problem>> + Send,
    {
        self.describe::<P>(&line, told.parameters, told.body, &told.answer);
        self.route(line, move |site, who, mut parts, body| {
            let handler = handler.clone();
            async move {
                let path = path(&mut parts).await?;
                handler(Call { site, who, path, input: parts }, body).await
            }
        })
    }

    fn describe<P: JsonSchema>(
        &mut self,
        line: &Line,
        more: Vec<serde_json::Value>,
        body: Option<serde_json::Value>,
        answer: &serde_json::Value,
    ) {
        let mut parameters = document::path_parameters::<P>(&mut self.generator);
        parameters.extend(more);
        let operation = document::operation(line, &parameters, body, answer);
        let method = line.method.as_str().to_lowercase();
        self.paths.entry(line.path).or_default().insert(method, operation);
    }

    fn route<F, W>(mut self, line: Line, work: F) -> Self
    where
        F: Fn(Arc<Site>, Bearer, Parts, Body) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Result<Response, Problem>> + Send,
    {
        let filter = MethodFilter::try_from(line.method.clone()).expect("a method of HTTP");
        let scope = line.scope;
        let run = move |State(site): State<Arc<Site>>, request: Request| {
            let work = work.clone();
            async move {
                let (parts, body) = request.into_parts();
                let done = match caller::bearer(&site, &parts.headers, scope).await {
                    Ok(who) => work(site, who, parts, body).await,
                    Err(problem) => Err(problem),
                };
                done.unwrap_or_else(IntoResponse::into_response)
            }
        };
        self.router = self.router.route(line.path, on(filter, run));
        self.lines.push(line);
        self
    }
}

async fn path<P: DeserializeOwned + Send>(parts: &mut Parts) -> Result<P, Problem> {
    let read = Path::<P>::from_request_parts(parts, &()).await;
    read.map(|Path(path)| path).map_err(|error| Problem::not_there(&error.body_text()))
}

async fn json_bytes(parts: &Parts, body: Body) -> Result<Bytes, Problem> {
    let kind = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let json = kind.is_none_or(|kind| kind.starts_with(b"application/json"));
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_large())?;
    if !json || kind.is_none() && !bytes.is_empty() {
        let vi = "Hãy gửi JSON với Content-Type: application/json.";
        let en = "send JSON with Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind", vi, en));
    }
    Ok(bytes)
}

fn too_large() -> Problem {
    let vi = "Yêu cầu lớn quá 8 MB, hoặc bị ngắt giữa chừng.";
    let en = "the request is larger than 8 MiB, or was cut";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "large", vi, en)
}

fn parsed<I: DeserializeOwned>(bytes: &[u8]) -> Result<I, Problem> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes.trim_ascii_start() };
    // A list would pass for an object whose fields stand in order.
    if bytes.first() == Some(&b'[') {
        return Err(Problem::wrong("send a JSON object, not a list"));
    }
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::wrong(&error.to_string()),
        _ => Problem::unreadable(&error.to_string()),
    })
}

/// Over the request and the token's secret, so that nobody who reads the store can try passphrases.
fn digest(who: &Bearer, parts: &Parts, body: &[u8]) -> Digest {
    let secret = parts.headers.get(header::AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes);
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let head = format!("{} {} {path}\n", who.token.name, parts.method);
    Digest::of_parts(&[secret, b"\n", head.as_bytes(), body])
}

fn answer_of<O: Serialize>(status: StatusCode, said: &O) -> Result<Answer, Problem> {
    let body = serde_json::to_string(said);
    let body = body.map_err(|e| crate::server::ServerError::Task(e.to_string()))?;
    Ok(Answer { status, body, again: false })
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status, kind, self.body).into_response();
        if self.again {
            let name = HeaderName::from_static("idempotency-replayed");
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        response
    }
}

/// A schema's own properties, with those that are required.
pub(super) fn properties(schema: &Schema) -> Vec<(String, serde_json::Value, bool)> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(|list| list.as_array())
        .map(|list| list.iter().filter_map(|name| name.as_str()).collect())
        .unwrap_or_default();
    let properties = schema.get("properties").and_then(|map| map.as_object());
    let properties = properties.into_iter().flatten();
    properties
        .map(|(name, schema)| (name.clone(), schema.clone(), required.contains(&name.as_str())))
        .collect()
}
