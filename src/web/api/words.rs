//! How the document describes the words of this station: types that only have a schema.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! word {
    ($($(#[$doc:meta])* $name:ident = $schema:tt;)+) => {$(
        $(#[$doc])*
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

word! {
    /// A name for machines.
    Slug = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$", "maxLength": 48};
    /// A BCP 47 tag.
    Language = {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "maxLength": 35};
    /// A local date.
    Day = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-11-23"]};
    /// Microseconds since 1970 (UTC).
    Instant = {"type": "integer", "format": "int64"};
    /// A SHA-256 in hexadecimal.
    Sha256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"};
    /// A kind of fact of the log, or with a full stop at its end all kinds that begin so.
    Family = {"type": "string", "pattern": "^[a-z0-9.-]+$", "maxLength": 64};
    /// Words of a person.
    Text = {"type": "string", "minLength": 1, "maxLength": 1000};
    /// What a person has to say to another.
    Remark = {"type": "string", "minLength": 1, "maxLength": 2000};
    /// A passphrase.
    Secret = {"type": "string", "minLength": 1, "maxLength": 1024};
    /// A document as the command line prints it with `--json`.
    Whole = {"type": "object"};
}
