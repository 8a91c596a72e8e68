//! The OpenAPI 3.1 document, made of the table.

use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::access::Action;
use crate::web::api::once::{HEADER, KEY_CHARS_MAX};
use crate::web::api::operation::{Line, Table, properties};
use crate::web::api::problem;

/// What an operation of its own kind reads and answers.
pub(super) struct Told {
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) answer: Value,
}

/// The document.
pub(super) fn text(table: &Table) -> String {
    serde_json::to_string_pretty(&value(table)).expect("a document has text keys")
}

pub(super) fn value(table: &Table) -> Value {
    let mut generator = table.generator.clone();
    let problem = generator.subschema_for::<problem::Told>();
    let schemas = generator.take_definitions(true);
    let scopes: Map<String, Value> = Action::ALL
        .map(|action| {
            let duties: Vec<String> = action.duties().iter().map(ToString::to_string).collect();
            (action.word().to_owned(), Value::String(duties.join(", ")))
        })
        .into_iter()
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Loa Bản",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Loudspeakers of a province: what the pages do, for programs",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "token": [] }],
        "paths": table.paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "Made on the page of one's account, or by `loaban token create`. Its scopes:",
                "x-scopes": scopes,
            } },
            "schemas": schemas,
            "responses": { "Problem": {
                "description": "Why it was not done, and what to do",
                "content": { "application/problem+json": { "schema": problem } },
            } },
        },
    })
}

const ABOUT: &str = "Every request carries a token: `Authorization: Bearer loaban_…`. A token acts \
    for one person, within its scopes and never beyond that person's duties. What is refused is a \
    problem (RFC 9457) with a stable `code`. A request that changes something may carry an \
    `Idempotency-Key`: sent again within a day it gets the same answer and is not done twice. Times \
    are microseconds since 1970 in UTC; days are local days of the station.";

/// An operation object.
pub(super) fn operation(
    line: &Line,
    parameters: &[Value],
    body: Option<Value>,
    answer: &Value,
) -> Value {
    let mut responses = Map::new();
    responses.insert(line.status.as_str().to_owned(), answer.clone());
    let changes = !matches!(line.method.as_str(), "GET" | "HEAD");
    let usual = ["400", "401", "403", "404", "422", "429", "500", "503"];
    let of_changes = ["409", "413", "415"];
    for status in usual.into_iter().chain(of_changes.into_iter().filter(|_| changes)) {
        responses.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    let scope = line.scope.map(Action::word);
    let mut operation = json!({
        "operationId": line.id,
        "summary": line.says,
        "description": match scope {
            Some(scope) => format!("Needs the scope `{scope}`."),
            None => "Any token that counts.".to_owned(),
        },
        "x-scope": scope,
        "tags": [line.path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    operation
}

/// A JSON answer.
pub(super) fn json(schema: &Schema) -> Value {
    json!({ "description": "Done", "content": { "application/json": { "schema": schema } } })
}

/// A JSON body; one that needs no field may be left out.
pub(super) fn body(schema: &Schema) -> Value {
    let required = schema.get("$ref").is_some();
    json!({ "required": required, "content": { "application/json": { "schema": schema } } })
}

/// The parameters of a query.
pub(super) fn parameters<I: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Value> {
    let parameter = |(name, schema, required): (String, Value, bool)| json!({ "name": name, "in": "query", "required": required, "schema": schema });
    properties(&I::json_schema(generator)).into_iter().map(parameter).collect()
}

/// The parameters of a path.
pub(super) fn path_parameters<P: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Value> {
    let parameter = |(name, schema, _): (String, Value, bool)| json!({ "name": name, "in": "path", "required": true, "schema": schema });
    properties(&P::json_schema(generator)).into_iter().map(parameter).collect()
}

/// The header that makes a request count once.
pub(super) fn key_parameter() -> Value {
    header(
        HEADER,
        false,
        &json!({
            "type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!-~]+$",
        }),
    )
}

/// A header of a request.
pub(super) fn header(name: &str, required: bool, schema: &Value) -> Value {
    json!({ "name": name, "in": "header", "required": required, "schema": schema })
}
