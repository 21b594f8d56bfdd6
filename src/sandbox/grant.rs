//! What somebody granted to a client, as the tokens know it that were given for it.
//!
//! Rule: the code that it began with is its name. What has that name is revoked together.
//!
//! Source: RFC 6749 §4.1.2, §10.4.

use super::authentication::{Authentication, Level};
use super::resources;
use crate::protocol::json::Value;
use crate::protocol::time::UnixTime;

/// What somebody granted.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// The code that it began with.
    pub code: String,
    pub client_id: String,
    pub sub: String,
    pub scope: String,
    pub authentication: Authentication,
    /// Where it is good; everywhere if there is none.
    pub resources: Vec<String>,
    /// The thumbprint of the key that it is bound to, if it is to one.
    pub jkt: Option<String>,
}

impl Grant {
    /// Whether this scope is in it.
    pub(super) fn has_scope(&self, name: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == name)
    }

    pub(super) fn encode(&self) -> Value {
        let text = |text: &str| Some(Value::string(text));
        Value::object(vec![
            ("code", text(&self.code)),
            ("client_id", text(&self.client_id)),
            ("sub", text(&self.sub)),
            ("scope", text(&self.scope)),
            ("auth_time", Some(Value::from(self.authentication.at.0))),
            ("acr", text(self.authentication.level.as_str())),
            ("resources", Some(Value::Array(self.resources.iter().map(|text| Value::string(text)).collect()))),
            ("jkt", self.jkt.as_deref().map(Value::string)),
        ])
    }

    pub(super) fn decode(record: &Value) -> Option<Self> {
        let text = |name: &str| record.text(name).map(str::to_owned);
        let at = record.member("auth_time")?.as_whole_number().map(UnixTime)?;
        Some(Self {
            code: text("code")?,
            client_id: text("client_id")?,
            sub: text("sub")?,
            scope: text("scope")?,
            authentication: Authentication { level: Level::parse(record.text("acr")?)?, at },
            resources: resources::decode(record)?,
            jkt: text("jkt"),
        })
    }
}
