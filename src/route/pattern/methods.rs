//! Which methods a route is for.

use std::fmt;

use http::Method;

use super::PatternError;

/// Which methods a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These; `GET` brings `HEAD` along.
    Only(Vec<Method>),
}

impl Methods {
    /// Reads a list of methods, in capitals as they are sent: methods have letter case (RFC 9110 §9.1),
    /// and a route for `get` would take no request at all.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, PatternError> {
        if names.is_empty() {
            return Err(PatternError::NoMethods);
        }
        let methods = names.iter().map(|name| parse_method(name.as_ref()));
        methods.collect::<Result<_, _>>().map(Self::Only)
    }

    /// Whether a request with `method` may take the route.
    pub fn contains(&self, method: &Method) -> bool {
        match self {
            Self::Any => true,
            Self::Only(listed) => {
                listed.contains(method) || (method == Method::HEAD && listed.contains(&Method::GET))
            }
        }
    }

    /// Whether some method is taken by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Only(ours), Self::Only(theirs)) => {
                // Both ways round, as only a listed `GET` brings the `HEAD` that the other may list.
                ours.iter().any(|method| other.contains(method))
                    || theirs.iter().any(|method| self.contains(method))
            }
            (Self::Any, Self::Any | Self::Only(_)) | (Self::Only(_), Self::Any) => true,
        }
    }

    /// Whether some method is taken by both and neither is the more specific one: a list is more
    /// specific than "every method".
    pub fn ties_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Only(_)) | (Self::Only(_), Self::Any) => false,
            (Self::Any, Self::Any) | (Self::Only(_), Self::Only(_)) => self.overlaps(other),
        }
    }

    /// The methods that are listed, with the `HEAD` that `GET` brings; of "every method", none.
    pub fn listed(&self) -> Vec<Method> {
        match self {
            Self::Any => Vec::new(),
            Self::Only(listed) => {
                let mut all = listed.clone();
                if self.contains(&Method::HEAD) && !all.contains(&Method::HEAD) {
                    all.push(Method::HEAD);
                }
                all
            }
        }
    }
}

fn parse_method(name: &str) -> Result<Method, PatternError> {
    let in_capitals = name.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    match Method::from_bytes(name.as_bytes()) {
        Ok(method) if in_capitals && method != Method::CONNECT => Ok(method),
        Ok(_) | Err(_) => Err(PatternError::Method(name.to_owned())),
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Only(listed) => {
                let names: Vec<_> = listed.iter().map(Method::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}
