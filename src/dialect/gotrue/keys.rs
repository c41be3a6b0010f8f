//! The keys that a project hands to its apps: they name the project, and one of them may do anything.

use crate::secret::SecretText;

/// The keys of a mount.
#[derive(Clone, Debug, Default)]
pub struct ApiKeys {
    /// Those that apps carry; where there is none, none is asked for.
    pub public: Vec<SecretText>,
    /// The one that may administer users, where there is one.
    pub service: Option<SecretText>,
}

impl ApiKeys {
    /// Whether calls must show one.
    pub const fn are_asked_for(&self) -> bool {
        !self.public.is_empty()
    }

    /// Whether `text` is the one that may administer users.
    pub fn is_service(&self, text: &str) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|key| key.same_as(text.as_bytes()))
    }

    /// Whether `text` is one that apps carry, and so says nothing of who calls. All are compared, so that
    /// the time does not tell which.
    pub fn is_public(&self, text: &str) -> bool {
        let public = self.public.iter();
        public.filter(|key| key.same_as(text.as_bytes())).count() > 0
    }
}
