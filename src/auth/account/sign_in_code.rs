//! Signing in with a code that came by mail.

use super::super::tokens::form::Form;
use super::super::{Auth, Caller, SignInError, SignedIn};
use super::AccountError;
use super::errand::{CodeRequest, Post};
use super::letter::Occasion;
use super::prove::Password;
use super::record::About;
use super::redeem::ShownCode;
use super::rules::SignUpRule;
use crate::audit::Action;
use crate::code::Purpose;
use crate::id::UserId;
use crate::session::{ClientKind, Persistence, SessionKind};
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, User};
use crate::users::{InsertError, NewUser};

/// What becomes of a request for a sign-in code to an address without an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Nothing.
    Ignored,
    /// An account without a password is made, where anybody may sign up with this address.
    SignedUp,
    /// The same, with this profile.
    SignedUpAs(JsonObject),
}

/// A code that signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryCode {
    /// One that was asked for to sign in.
    SignIn,
    /// One that was asked for to sign in, or that came with the sign-up: for clients that have one word
    /// for both.
    SignInOrUp,
    /// One that was asked for to set a password: for clients that sign in with it and set it then. The
    /// session is fresh, so it may.
    Recovery,
}

/// A session that is to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// For what kind of client.
    pub client: ClientKind,
    /// How long it shall keep the session; of no account for a program.
    pub persistence: Persistence,
    /// In which form the access token is made.
    pub form: Form,
    /// For whom.
    pub caller: Caller,
}

impl Auth {
    /// Sends a code that signs in, if there is such an account or one may be made.
    pub async fn request_sign_in_code(
        &self,
        request: CodeRequest,
        unknown: Unknown,
    ) -> Result<(), AccountError> {
        let asked = self.asked_for(&request).await;
        let about = About {
            actor: Some(request.email.as_str()),
            user: asked
                .as_ref()
                .ok()
                .and_then(|(_, user)| Some(user.as_ref()?.id)),
            caller: &request.caller,
        };
        self.record_account((Action::RequestSignInCode, "requested"), &asked, &about);
        let (place, user) = asked?;
        let usual = || self.rules().deliveries.sign_in.clone();
        let delivery = request.delivery.unwrap_or_else(usual);
        let (auth, email) = (self.clone(), request.email);
        self.after_answer(async move {
            let user = match user {
                Some(user) => Some(user.id),
                None => auth.sign_up_by_mail(&email, unknown).await?,
            };
            let Some(user) = user else { return Ok(()) };
            let post = Post {
                user,
                to: email,
                purpose: Purpose::SignIn,
                occasion: Occasion::SignIn,
                delivery,
            };
            auth.send_code(place, post).await
        });
        Ok(())
    }

    /// An address that has an account by now, or a closed one, gets none.
    async fn sign_up_by_mail(
        &self,
        email: &Email,
        unknown: Unknown,
    ) -> Result<Option<UserId>, AccountError> {
        let profile = match unknown {
            Unknown::Ignored => return Ok(None),
            Unknown::SignedUp => JsonObject::new(),
            Unknown::SignedUpAs(profile) => profile,
        };
        match self.rules().sign_up {
            SignUpRule::Open if self.rules().domains.allow(email) => {}
            SignUpRule::Open | SignUpRule::Closed => return Ok(None),
        }
        let user = NewUser {
            id: UserId::new(self.now()),
            email: email.clone(),
            username: None,
            password: None,
            roles: self.rules().default_roles.clone(),
            status: AccountStatus::Enabled,
            email_status: EmailStatus::Unverified,
            profile,
            metadata: JsonObject::new(),
        };
        match self.parts.users.insert(user).await {
            Ok(user) => Ok(Some(user.id)),
            Err(InsertError::EmailTaken) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a session for whoever has the code. The address is proved by it; sessions that were opened
    /// before that end, and a password that was set before goes, unless the code came with the sign-up
    /// that set it.
    pub async fn sign_in_with_code(
        &self,
        code: &ShownCode,
        entry: EntryCode,
        opening: &Opening,
    ) -> Result<SignedIn, AccountError> {
        let result = self.try_sign_in_with_code(code, entry, opening).await;
        let about = About {
            actor: code.account(),
            user: result
                .as_ref()
                .ok()
                .map(|signed_in| signed_in.session.subject.user),
            caller: &opening.caller,
        };
        let outcome = if result.is_ok() {
            "signed-in"
        } else {
            "code-refused"
        };
        self.parts.metrics.sign_in(outcome);
        self.record_account((Action::SignIn, "signed-in-by-code"), &result, &about);
        result
    }

    async fn try_sign_in_with_code(
        &self,
        code: &ShownCode,
        entry: EntryCode,
        opening: &Opening,
    ) -> Result<SignedIn, AccountError> {
        let purposes: &[Purpose] = match entry {
            EntryCode::SignIn => &[Purpose::SignIn],
            EntryCode::SignInOrUp => &[Purpose::SignIn, Purpose::VerifyEmail],
            EntryCode::Recovery => &[Purpose::ResetPassword],
        };
        let redeemed = self.redeem_first(purposes, code, &opening.caller);
        let (purpose, redeemed) = redeemed.await?;
        let password = match purpose {
            Purpose::VerifyEmail => Password::Stays,
            Purpose::SignIn | Purpose::ResetPassword | Purpose::ChangeEmail => {
                Password::GoesIfUnproved
            }
        };
        let proved = self.prove(&redeemed, &password).await?;
        let signed_in = self.open_session_of(&proved.user, opening).await?;
        self.note_familiar(proved.user.id, &opening.caller).await;
        Ok(signed_in)
    }

    /// Opens a session for a user who was just proved to be there. The account is read again after the
    /// epoch, as at a sign-in with a password: it may have been closed meanwhile.
    pub(super) async fn open_session_of(
        &self,
        user: &User,
        opening: &Opening,
    ) -> Result<SignedIn, AccountError> {
        let epoch = self.parts.sessions.epoch(user.id).await?;
        let fresh = self.parts.users.by_id(user.id).await?;
        let fresh = fresh.filter(|fresh| fresh.email == user.email);
        let fresh = fresh.ok_or(AccountError::Gone)?;
        match fresh.status {
            AccountStatus::Enabled => {}
            AccountStatus::Disabled => return Err(AccountError::Disabled),
        }
        let client = (opening.client, opening.persistence, &opening.caller);
        let session = self.session_for(SessionKind::User, client, &fresh);
        match self.store_session(&session, epoch).await {
            Ok(()) => Ok(self.issue(session, Some(fresh), &opening.form)?),
            Err(SignInError::Unavailable(error)) => Err(error.into()),
            Err(_superseded) => Err(AccountError::Outdated),
        }
    }
}
