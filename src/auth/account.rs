//! What a user may see of themselves.

use super::Auth;
use crate::id::UserId;
use crate::session::Session;
use crate::unavailable::Unavailable;
use crate::user::User;

impl Auth {
    /// The account of a user.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, Unavailable> {
        self.parts.users.by_id(id).await
    }

    /// The sessions of a user, newest first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, Unavailable> {
        self.parts.sessions.of_user(user, self.now()).await
    }
}
