//! JSON as tokens may use it: one object, no member twice, shallow.
//!
//! A member given twice is read as the first by some and as the last by others (RFC 8725 §2.4), and a
//! gateway that reads one way in front of a service that reads the other is no gateway.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::user::JsonObject;

/// The deepest nesting of a token. Issuers nest three or four deep (`resource_access.shop.roles`).
const MAX_DEPTH: u8 = 16;

/// Reads one object that is all of `bytes`; `None` if it is anything else.
pub(super) fn object(bytes: &[u8]) -> Option<JsonObject> {
    // serde_json checks UTF-8 only inside strings, and reads without a copy from a `str`.
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict {
        depth_left: MAX_DEPTH,
    }
    .deserialize(&mut reader)
    .ok()?;
    reader.end().ok()?;
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Reads a value that may nest so much deeper.
#[derive(Clone, Copy)]
struct Strict {
    depth_left: u8,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.depth_left
            .checked_sub(1)
            .map(|depth_left| Self { depth_left })
            .ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = JsonObject::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is given twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_reads_as_any_reader_would_read_it() {
        let text = r#"{"a":[1,-2,3.5,true,null,"é"],"b":{"c":18446744073709551615}}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(object(text.as_bytes()).map(Value::Object), Some(expected));
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        let refused = |text: &str| assert_eq!(object(text.as_bytes()), None, "{text:.60}");
        refused(r#"{"a":1,"a":1}"#);
        refused(r#"{"a":1,"\u0061":2}"#);
        refused(r#"{"b":[{"a":1,"a":2}]}"#);
        refused(r#"{"a":1} {"a":2}"#);
        refused(r#"{"a":1}x"#);
        refused(r#"{"a":1,}"#);
        refused(r#"{"a":NaN}"#);
        refused(r#"{"a":1e999}"#);
        refused("\u{feff}{}");
        refused("[]");
        refused("\"{}\"");
        refused("");
        assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(15).as_bytes()).is_some());
        for depth in [16, 100, 127, 128, 100_000] {
            assert_eq!(object(nested(depth).as_bytes()), None, "{depth}");
        }
        assert_eq!(object("{\"a\":".repeat(100_000).as_bytes()), None);
    }
}
