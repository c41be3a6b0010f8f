//! Making an account.

use tokio::time::Instant;

use super::super::{Auth, EmailRule, SignedIn};
use super::AccountError;
use super::errand::Post;
use super::guard::Attempt;
use super::letter::Occasion;
use super::record::About;
use super::redeem::QUIET;
use super::rules::{Delivery, Disclosure, SignUpRule};
use super::sign_in_code::Opening;
use crate::audit::Action;
use crate::code::Purpose;
use crate::id::UserId;
use crate::mail::outbox::Place;
use crate::password::rules::Owner;
use crate::secret::SecretText;
use crate::user::{
    AccountStatus, Email, EmailStatus, JsonObject, Login, Revision, Roles, User, Username,
};
use crate::users::{InsertError, NewUser, PasswordHash, UpdateError, UserUpdate};

/// An account that somebody wants.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The address.
    pub email: Email,
    /// The name for people.
    pub username: Option<Username>,
    /// The password.
    pub password: SecretText,
    /// What the user says of themselves.
    pub profile: JsonObject,
    /// By what right.
    pub admission: Admission,
    /// How the code that proves the address is sent; none: as the rules say.
    pub delivery: Option<Delivery>,
    /// Who asks, and for which session where it is signed in at once.
    pub opening: Opening,
}

impl NewAccount {
    const fn owner(&self) -> Owner<'_> {
        Owner {
            email: Some(&self.email),
            username: self.username.as_ref(),
        }
    }
}

/// By what right somebody makes an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// By none: anybody, as far as the rules let them.
    Public,
    /// The face has judged the caller (a secret of the operator, a call from this machine): the rules of
    /// sign-up do not count, answers are frank, and nobody is signed in.
    Entitled {
        /// By what right, as the audit trail calls it: `actian:this-machine`, …
        right: &'static str,
        /// Whether the address is taken for proved.
        email_status: EmailStatus,
        /// What the account may do, beside the default roles. Never what a client asks for.
        roles: Roles,
    },
}

/// What came of a sign-up.
#[derive(Debug)]
pub enum SignedUp {
    /// The account was made, and its user is signed in.
    SignedIn(Box<SignedIn>),
    /// The address must be proved first. This is the new account; or, where the address had one, what a
    /// new one would look like.
    MustVerify(Box<User>),
    /// The account was made.
    Made(Box<User>),
}

impl Auth {
    /// Makes an account.
    pub async fn sign_up(&self, new: NewAccount) -> Result<SignedUp, AccountError> {
        let result = self.try_sign_up(&new).await;
        let user = match &result {
            Ok(SignedUp::SignedIn(signed_in)) => Some(signed_in.session.subject.user),
            Ok(SignedUp::Made(user)) => Some(user.id),
            // It may be made up: the errand knows.
            Ok(SignedUp::MustVerify(_)) | Err(_) => None,
        };
        let (actor, told) = match &new.admission {
            Admission::Public => (new.email.as_str(), (Action::SignUp, "signed-up")),
            Admission::Entitled { right, .. } => (*right, (Action::AddUser, "added")),
        };
        let about = About {
            actor: Some(actor),
            user,
            caller: &new.opening.caller,
        };
        self.record_account(told, &result, &about);
        result
    }

    async fn try_sign_up(&self, new: &NewAccount) -> Result<SignedUp, AccountError> {
        self.guard(Attempt::SignUp, &new.opening.caller, Some(&new.email))
            .await?;
        match &new.admission {
            Admission::Public => self.admit_publicly(new)?,
            Admission::Entitled { .. } => {
                let user = self.insert(new).await?;
                return Ok(SignedUp::Made(Box::new(user)));
            }
        }
        match self.parts.email_rule {
            EmailRule::MustBeVerified => self.sign_up_to_verify(new).await,
            EmailRule::MayBeUnverified => self.sign_up_and_in(new).await,
        }
    }

    fn admit_publicly(&self, new: &NewAccount) -> Result<(), AccountError> {
        match self.rules().sign_up {
            SignUpRule::Closed => return Err(AccountError::SignUpClosed),
            SignUpRule::Open => {}
        }
        if self.rules().domains.allow(&new.email) {
            Ok(())
        } else {
            Err(AccountError::DomainNotAllowed)
        }
    }

    /// The new user goes on at once, so that an address that is taken shows in any case.
    async fn sign_up_and_in(&self, new: &NewAccount) -> Result<SignedUp, AccountError> {
        let user = self.insert(new).await?;
        // Without mail, or with a full outbox, the address can be proved later.
        if let Ok(place) = self.place() {
            self.send_verification(place, &user, new);
        }
        let signed_in = self.open_session_of(&user, &new.opening).await?;
        Ok(SignedUp::SignedIn(Box::new(signed_in)))
    }

    /// The same steps up to the answer whether or not the address has an account: one hash, one look
    /// for the user name, one insert. The rest comes after the answer, which has a least time.
    async fn sign_up_to_verify(&self, new: &NewAccount) -> Result<SignedUp, AccountError> {
        let place = self.place()?;
        let hash = self.accept_password(&new.password, new.owner()).await?;
        let began = Instant::now();
        self.refuse_taken_username(new).await?;
        let inserted = self.insert_hashed(new, hash).await;
        let user = match (inserted, self.rules().disclosure) {
            (Ok(user), _) => {
                self.send_verification(place, &user, new);
                user
            }
            (Err(AccountError::EmailTaken), Disclosure::Masked) => {
                self.sign_up_again(place, new).await?;
                self.made_up(new)
            }
            (Err(error), _) => return Err(error),
        };
        tokio::time::sleep_until(began + QUIET).await;
        Ok(SignedUp::MustVerify(Box::new(user)))
    }

    fn send_verification(&self, place: Place, user: &User, new: &NewAccount) {
        let post = self.verification(user, new.delivery.clone());
        let auth = self.clone();
        self.after_answer(async move { auth.send_code(place, post).await });
    }

    /// Somebody signs up with an address that has an account.
    ///
    /// If the address is proved, its owner is told. If it is not, nobody has shown yet that the account
    /// is theirs, neither who made it nor who comes now: what was set for it is dropped, and whoever
    /// gets the mail chooses a password when they have proved the address.
    async fn sign_up_again(&self, place: Place, new: &NewAccount) -> Result<(), AccountError> {
        let login = Login::Email(new.email.clone());
        let stored = self.parts.users.by_login(&login).await?;
        let user = stored.map(|stored| stored.user);
        let Some(user) = user.filter(|user| user.status == AccountStatus::Enabled) else {
            return Ok(());
        };
        let (auth, delivery) = (self.clone(), new.delivery.clone());
        self.after_answer(async move {
            let post = match user.email_status {
                EmailStatus::Verified => Post {
                    occasion: Occasion::SignUpAgain,
                    ..auth.reset(&user, None)
                },
                EmailStatus::Unverified => {
                    auth.drop_unproved(&user).await?;
                    auth.verification(&user, delivery)
                }
            };
            auth.send_code(place, post).await
        });
        Ok(())
    }

    /// Only while the account is as it was seen: once the address is proved, it is its owner's.
    async fn drop_unproved(&self, user: &User) -> Result<(), AccountError> {
        let update = UserUpdate {
            expected: Some(user.revision),
            username: Some(None),
            password: Some(None),
            profile: Some(JsonObject::new()),
            ..UserUpdate::default()
        };
        self.can_end_sessions_of(user.id).await?;
        match self.parts.users.update(user.id, update).await {
            Ok(_) => Ok(self.end_sessions_of(user.id, None).await.map(drop)?),
            Err(UpdateError::Unavailable(error)) => Err(error.into()),
            Err(
                UpdateError::Outdated
                | UpdateError::NoSuchUser
                | UpdateError::EmailTaken
                | UpdateError::UsernameTaken,
            ) => Err(AccountError::Outdated),
        }
    }

    pub(super) fn verification(&self, user: &User, delivery: Option<Delivery>) -> Post {
        let usual = || self.rules().deliveries.verify_email.clone();
        Post {
            user: user.id,
            to: user.email.clone(),
            purpose: Purpose::VerifyEmail,
            occasion: Occasion::Verify,
            delivery: delivery.unwrap_or_else(usual),
        }
    }

    /// User names are public and must differ: this is told in any case, and before it is known whether
    /// the address is taken.
    async fn refuse_taken_username(&self, new: &NewAccount) -> Result<(), AccountError> {
        let Some(username) = &new.username else {
            return Ok(());
        };
        let login = Login::Username(username.clone());
        match self.parts.users.by_login(&login).await? {
            Some(_) => Err(AccountError::UsernameTaken),
            None => Ok(()),
        }
    }

    async fn insert(&self, new: &NewAccount) -> Result<User, AccountError> {
        let hash = self.accept_password(&new.password, new.owner()).await?;
        self.insert_hashed(new, hash).await
    }

    async fn insert_hashed(
        &self,
        new: &NewAccount,
        hash: PasswordHash,
    ) -> Result<User, AccountError> {
        let (email_status, roles) = match &new.admission {
            Admission::Public => (EmailStatus::Unverified, Roles::default()),
            Admission::Entitled {
                email_status,
                roles,
                ..
            } => (*email_status, roles.clone()),
        };
        let roles = roles.iter().chain(self.rules().default_roles.iter());
        let user = NewUser {
            id: UserId::new(self.now()),
            email: new.email.clone(),
            username: new.username.clone(),
            password: Some(hash),
            roles: roles.cloned().collect(),
            status: AccountStatus::Enabled,
            email_status,
            profile: new.profile.clone(),
            metadata: JsonObject::new(),
        };
        self.parts.users.insert(user).await.map_err(Into::into)
    }

    fn made_up(&self, new: &NewAccount) -> User {
        let now = self.now();
        User {
            id: UserId::new(now),
            email: new.email.clone(),
            username: new.username.clone(),
            roles: self.rules().default_roles.clone(),
            email_status: EmailStatus::Unverified,
            status: AccountStatus::Enabled,
            profile: new.profile.clone(),
            metadata: JsonObject::new(),
            created_at: now,
            updated_at: now,
            revision: Revision::FIRST,
        }
    }
}

impl From<InsertError> for AccountError {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::EmailTaken => Self::EmailTaken,
            InsertError::UsernameTaken => Self::UsernameTaken,
            // An id of our own making: two in one millisecond with the same 74 random bits.
            InsertError::IdTaken => Self::Outdated,
            InsertError::Unavailable(error) => error.into(),
        }
    }
}
