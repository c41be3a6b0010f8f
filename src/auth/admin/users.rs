//! Accounts. Who changes one names the revision that they have seen.

use super::record::Deed;
use super::{AdminError, Administrator, is_open_admin};
use crate::audit::Action;
use crate::auth::account::directory::{Amendment, Entry};
use crate::auth::{AccountError, Auth};
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, EmailStatus, Revision, Role, Roles, User};
use crate::users::directory::Kept;
use crate::users::{UserPage, UserQuery, UserUpdate};

/// One role more or less.
#[derive(Clone, Debug)]
pub enum RoleChange {
    /// More.
    Add(Role),
    /// Less.
    Remove(Role),
}

impl RoleChange {
    fn of(&self, roles: &Roles) -> Roles {
        let held = roles.iter().cloned();
        match self {
            Self::Add(role) => held.chain([role.clone()]).collect(),
            Self::Remove(role) => held.filter(|held| held != role).collect(),
        }
    }
}

impl Auth {
    /// Whether nobody would be left who may administer users, were this account closed.
    pub async fn is_last_admin(&self, user: &User) -> Result<bool, Unavailable> {
        if !is_open_admin(user) {
            return Ok(false);
        }
        let open_admins = UserQuery {
            role: Role::parse(Role::ADMIN).ok(),
            status: Some(AccountStatus::Enabled),
            limit: 1,
            ..UserQuery::default()
        };
        Ok(self.list_users(&open_admins).await?.total <= 1)
    }
}

impl Administrator {
    /// How often a change of one role is tried anew when others change the same account.
    const TRIES: u32 = 5;

    /// A page of users.
    pub async fn users(&self, query: &UserQuery) -> Result<UserPage, AdminError> {
        self.keeps_users()?;
        Ok(self.auth.list_users(query).await?)
    }

    /// An account.
    pub async fn user(&self, id: UserId) -> Result<User, AdminError> {
        self.keeps_users()?;
        let user = self.auth.parts.users.by_id(id).await?;
        user.ok_or(AdminError::NoSuchUser)
    }

    /// Makes an account.
    pub async fn enter(&self, entry: Entry) -> Result<User, AdminError> {
        self.keeps_users()?;
        let id = entry.id.unwrap_or_else(|| UserId::new(self.auth.now()));
        let result = match self.may_give_roles(None, &entry.roles) {
            Ok(()) => self.auth.try_enter(id, entry).await.map_err(Into::into),
            Err(refusal) => Err(refusal),
        };
        let deed = Deed::on(id, (Action::AddUser, "added"));
        self.told(deed, result).await
    }

    /// Changes an account. Where the change says who may sign in to it, how, or what they may do then,
    /// its sessions end.
    pub async fn amend(&self, id: UserId, amendment: Amendment) -> Result<User, AdminError> {
        let result = self.try_amend(id, amendment).await;
        let deed = Deed::on(id, (Action::ChangeUser, "amended"));
        self.told(deed, result).await
    }

    async fn try_amend(&self, id: UserId, mut amendment: Amendment) -> Result<User, AdminError> {
        let user = self.user(id).await?;
        expect(&user, amendment.expected)?;
        self.may_give_roles(Some(&user), amendment.roles.as_ref().unwrap_or(&user.roles))?;
        let closes = amendment.status == Some(AccountStatus::Disabled);
        let demotes = amendment.roles.as_ref().is_some_and(|r| !r.has_admin());
        if closes || demotes {
            self.refuse_lock_out(&user).await?;
        }
        // Another address is not proved by the proof of the one before.
        if amendment.email.as_ref().is_some_and(|e| *e != user.email) {
            amendment
                .email_status
                .get_or_insert(EmailStatus::Unverified);
        }
        Ok(self.auth.try_amend(id, amendment).await?)
    }

    /// Gives or takes a role; the sessions of the user end.
    pub async fn change_role(
        &self,
        (id, expected): (UserId, Option<Revision>),
        change: &RoleChange,
    ) -> Result<User, AdminError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let user = self.user(id).await?;
            let amendment = Amendment {
                expected: Some(expected.unwrap_or(user.revision)),
                roles: Some(change.of(&user.roles)),
                ..Amendment::default()
            };
            match self.amend(id, amendment).await {
                Err(AdminError::Outdated) if expected.is_none() && tries < Self::TRIES => {}
                result => return result,
            }
        }
    }

    /// Removes an account, with its sessions and codes.
    pub async fn remove(&self, id: UserId, expected: Option<Revision>) -> Result<(), AdminError> {
        let result = self.try_remove(id, expected).await;
        let deed = Deed::on(id, (Action::RemoveUser, "removed"));
        self.told(deed, result).await
    }

    async fn try_remove(&self, id: UserId, expected: Option<Revision>) -> Result<(), AdminError> {
        let user = self.user(id).await?;
        expect(&user, expected)?;
        self.may_give_roles(Some(&user), &user.roles)?;
        self.refuse_lock_out(&user).await?;
        // Closed in the state that was seen, so that nobody else's change of it is removed unseen.
        let closed = UserUpdate {
            expected,
            status: Some(AccountStatus::Disabled),
            ..UserUpdate::default()
        };
        self.auth.can_end_sessions_of(id).await?;
        let closed = self.auth.parts.users.update(id, closed).await;
        closed.map_err(AccountError::from)?;
        Ok(self.auth.remove(id).await?)
    }

    /// What administrators must not do by accident. Two who remove each other in the same moment are
    /// none: they can be made again at the command line.
    async fn refuse_lock_out(&self, user: &User) -> Result<(), AdminError> {
        if self.own_user() == Some(user.id) {
            return Err(AdminError::OwnAccount);
        }
        if self.auth.is_last_admin(user).await? {
            return Err(AdminError::LastAdmin);
        }
        Ok(())
    }

    /// Who is signed in may give any role, and so may an API key that manages keys. Any other key makes
    /// and changes no administrator, and gives no role that it has not: whoever then signed in could do
    /// what it may not.
    fn may_give_roles(&self, user: Option<&User>, roles: &Roles) -> Result<(), AdminError> {
        let Err(refusal) = self.may_manage_keys() else {
            return Ok(());
        };
        let is_new = |role: &&Role| !user.is_some_and(|user| user.roles.contains(role.as_str()));
        let has = |role: &Role| {
            self.identity
                .roles
                .iter()
                .any(|own| **own == *role.as_str())
        };
        let mut given = roles.iter().filter(is_new);
        let concerns_admins = roles.has_admin() || user.is_some_and(|user| user.roles.has_admin());
        if concerns_admins || given.any(|role| !has(role)) {
            return Err(refusal);
        }
        Ok(())
    }

    pub(super) fn keeps_users(&self) -> Result<(), AdminError> {
        match self.auth.parts.users.kept() {
            Kept::Here => Ok(()),
            Kept::Elsewhere(directory) => Err(AdminError::KeptElsewhere(directory.name())),
        }
    }
}

fn expect(user: &User, expected: Option<Revision>) -> Result<(), AdminError> {
    match expected {
        Some(expected) if expected != user.revision => Err(AdminError::Outdated),
        Some(_) | None => Ok(()),
    }
}
