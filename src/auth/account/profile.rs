//! What a user says of themselves.

use super::super::Auth;
use super::{AccountError, Member};
use crate::audit::Action;
use crate::user::{JsonObject, Revision, User, Username};
use crate::users::UserUpdate;

/// What is to change; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// The revision that the change builds on; `None`: whichever it is.
    pub expected: Option<Revision>,
    /// Another profile, whole.
    pub profile: Option<JsonObject>,
    /// Another name for people, or none any more.
    pub username: Option<Option<Username>>,
}

impl Auth {
    /// Changes what the member says of themselves.
    pub async fn change_profile(
        &self,
        member: &Member,
        change: ProfileChange,
    ) -> Result<User, AccountError> {
        let update = UserUpdate {
            expected: change.expected,
            profile: change.profile,
            username: change.username,
            ..UserUpdate::default()
        };
        let updated = self.parts.users.update(member.user, update).await;
        let result = updated.map_err(AccountError::from);
        self.record_member((Action::ChangeUser, "profile-changed"), &result, member);
        result
    }
}
