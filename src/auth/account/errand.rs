//! What happens after the answer: making a code, and mailing it.
//!
//! Behind the answer, because it happens for addresses that have an account and for others not. A code
//! that cannot be stored or mailed is lost, and counted; its owner asks for another.

use super::super::{Auth, IssueError};
use super::letter::{Letter, Occasion};
use super::rules::Delivery;
use super::{AccountError, guard::Attempt};
use crate::auth::Caller;
use crate::clock::Timestamp;
use crate::code::{self, CodeForm, DigitsHash, KeptCode, NewCode, Purpose, Subject, TokenHash};
use crate::codes::Put;
use crate::id::UserId;
use crate::limit::Account;
use crate::mail::outbox::Place;
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Email, Login, User};

/// Somebody asks for a mail to an address.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    /// The address. Whether it has an account, the answer does not tell.
    pub email: Email,
    /// How the code reaches them; none: as the rules say.
    pub delivery: Option<Delivery>,
    /// Who asks.
    pub caller: Caller,
}

/// A token for the next step, handed to somebody who has just proved an address.
#[derive(Clone, Debug)]
pub struct ResetToken {
    /// Shown to [`Auth::reset_password`].
    pub text: SecretText,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// A mail with a code, before both are made.
pub(super) struct Post {
    pub(super) user: UserId,
    pub(super) to: Email,
    pub(super) purpose: Purpose,
    pub(super) occasion: Occasion,
    pub(super) delivery: Delivery,
}

impl Auth {
    /// A place in the outbox, taken before anything is known of the address: a full outbox tells
    /// nothing of it.
    pub(super) fn place(&self) -> Result<Place, AccountError> {
        let outbox = self.parts.accounts.outbox.as_ref();
        Ok(outbox.ok_or(AccountError::NoMail)?.place()?)
    }

    /// The way of every request for a mail up to the answer: the same steps for every address.
    pub(super) async fn asked_for(
        &self,
        request: &CodeRequest,
    ) -> Result<(Place, Option<User>), AccountError> {
        let login = Login::Email(request.email.clone());
        let stored = self.parts.users.by_login(&login).await?;
        let user = stored.map(|stored| stored.user);
        let id = user.as_ref().map(|user| user.id);
        let account = Account::new(request.email.as_str(), id);
        self.guard_account(Attempt::RequestCode, &request.caller, Some(&account))
            .await?;
        let place = self.place()?;
        let user = user.filter(|user| user.status == AccountStatus::Enabled);
        Ok((place, user))
    }

    /// Goes on behind the answer.
    pub(super) fn after_answer(
        &self,
        errand: impl Future<Output = Result<(), AccountError>> + Send + 'static,
    ) {
        let metrics = std::sync::Arc::clone(&self.parts.metrics);
        drop(tokio::spawn(async move {
            if let Err(error) = errand.await {
                tracing::warn!(error = ?error, "a mail to a user was not made");
                metrics.mail("not-made");
            }
        }));
    }

    /// Makes a code and mails it, unless the last one is too young.
    pub(super) async fn send_code(&self, place: Place, post: Post) -> Result<(), AccountError> {
        let code = NewCode::new(post.delivery.form());
        let kept = self.kept(&post, &code)?;
        let young = self.now().minus(self.rules().codes.resend_after);
        match self.codes().put(kept, young).await? {
            Put::Stored => place.fill(self.letter(&post).write(Some((&code, &post.delivery)))),
            Put::TooSoon => self.parts.metrics.mail("too-soon"),
        }
        Ok(())
    }

    /// Mails a notice without a code, where there is an outbox with room.
    pub(super) fn send_notice(&self, to: Email, occasion: Occasion) {
        if let Ok(place) = self.place() {
            let letter = Letter {
                site: self.site(),
                to,
                occasion,
                rules: self.rules().codes,
            };
            place.fill(letter.write(None));
        }
    }

    /// A token with which an account that was just proved gets a password.
    pub(super) async fn reset_token(&self, user: &User) -> Result<ResetToken, Unavailable> {
        let (now, rules) = (self.now(), self.rules().codes);
        let text = code::new_token();
        let ends_at = now.plus(rules.digits_lifetime);
        let kept = KeptCode {
            user: user.id,
            subject: Subject {
                email: user.email.clone(),
                purpose: Purpose::ResetPassword,
            },
            digits: None,
            token: Some(TokenHash::of(&text)),
            created_at: now,
            digits_end_at: now,
            token_ends_at: ends_at,
            attempts: 0,
        };
        // Nothing is too young for it: it is not mailed to anybody.
        self.codes().put(kept, now).await?;
        Ok(ResetToken { text, ends_at })
    }

    fn kept(&self, post: &Post, code: &NewCode) -> Result<KeptCode, AccountError> {
        let (now, rules) = (self.now(), self.rules().codes);
        let subject = Subject {
            email: post.to.clone(),
            purpose: post.purpose,
        };
        let digits = match &code.digits {
            Some(digits) => {
                let signer = self.parts.tokens.session_signer();
                let hash = DigitsHash::of(&subject, digits, &signer);
                Some(hash.ok_or(IssueError::NoSessionKey)?)
            }
            None => None,
        };
        let lifetime = match post.delivery.form() {
            CodeForm::Digits => rules.digits_lifetime,
            CodeForm::Link | CodeForm::DigitsAndLink => rules.link_lifetime,
        };
        Ok(KeptCode {
            user: post.user,
            subject,
            digits,
            token: code.token.as_ref().map(TokenHash::of),
            created_at: now,
            digits_end_at: now.plus(rules.digits_lifetime),
            token_ends_at: now.plus(lifetime),
            attempts: rules.attempts,
        })
    }

    fn letter(&self, post: &Post) -> Letter {
        Letter {
            site: self.site(),
            to: post.to.clone(),
            occasion: post.occasion.clone(),
            rules: self.rules().codes,
        }
    }

    /// What people know the gateway by; never what a client calls it.
    fn site(&self) -> String {
        let host = self.parts.public_url.host_str();
        host.unwrap_or("this site").to_owned()
    }
}
