//! One list of scenarios, told in the words of each shape: what a client meets from its first sign-in to
//! a store that is away. Status, the headers that say how to go on, and the body are snapshots; a change
//! in one of them is a change for somebody's front end. `INSTA_UPDATE=always` writes them anew.

use std::time::Duration;

use axum::Router;
use doorward::auth::EmailRule;
use doorward::auth::tokens::form::{Form, FormKey};
use doorward::dialect::{Mount, OwnNames, Quarter, Shape, Signing};
use doorward::limit::{Policy, Quota, Rules};
use doorward::path::NormalPath;
use doorward::policy::Requirement;
use doorward::request::RequestHead;
use doorward::user::{AccountStatus, EmailStatus, User};
use doorward::users::UserChange;
use doorward::wire::refusal::Refusal;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use self::answer::{Answer, Away, ask};
use self::story::Story;
use self::words::Words;
use crate::support::core::{Core, ORIGIN, Setup, lifetimes};

mod answer;
mod story;
pub(crate) mod words;

const USER: &str = "ann@example.com";
/// Whose user name, `admin`, is the one account of Actian.
const ADMIN: &str = "admin@example.com";
const PASSWORD: &str = "Correct horse battery 1";
const OTHER: &str = "Wrong horse battery 1";

/// A dialect over a core with a user and an admin.
struct World {
    core: Core,
    shape: Shape,
    words: Words,
    router: Router,
    user: User,
    admin: User,
}

impl World {
    async fn of(shape: Shape) -> Self {
        Self::with(shape, EmailRule::MayBeUnverified, Policy::off()).await
    }

    async fn with(shape: Shape, email_rule: EmailRule, limits: Policy) -> Self {
        let form = shape.token_form(OwnNames {
            issuer: ORIGIN,
            audience: "doorward",
            base: ORIGIN,
            secret: None,
        });
        let core = Core::of(Setup {
            forms: vec![form.clone()],
            email_rule,
            limits,
            lifetimes: lifetimes(),
            ..Setup::default()
        })
        .await;
        let mount = Mount {
            signing: match form.key {
                FormKey::Ring => Signing::Ring,
                FormKey::Secret(_) => Signing::Secret,
            },
            issuer: form.issuer.clone(),
            form: Form::open(form).unwrap(),
            ..Mount::default()
        };
        let user = core.add_user(USER, PASSWORD, &[]).await;
        let admin = core.add_user(ADMIN, PASSWORD, &["admin"]).await;
        Self {
            router: shape.router(core.auth.clone(), &mount),
            words: Words::of(shape),
            shape,
            core,
            user,
            admin,
        }
    }

    /// Signs in at the entrance that the shape has for everybody, or its only one.
    async fn sign_in(&self, password: &str) -> Answer {
        match self.words.sign_in {
            Some(words) => ask(self, words(USER, password)).await,
            None => self.sign_in_as_admin(ADMIN, password).await,
        }
    }

    async fn sign_in_as_admin(&self, email: &str, password: &str) -> Answer {
        let words = self.words.admin_sign_in.or(self.words.sign_in);
        ask(self, words.unwrap()(email, password)).await
    }

    /// What a proxied route answers to a token: nothing of ours if it lets it through.
    async fn pass(&self, token: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        let head = RequestHead {
            method: &Method::GET,
            host: "gw.test".into(),
            path: NormalPath::parse("/api/x").unwrap(),
            client: [192, 0, 2, 7].into(),
            headers: &headers,
        };
        match self.core.auth.authenticate(&head, &Requirement::SignedIn) {
            Ok(_) => Answer::passed(),
            Err(denial) => {
                let style = self.shape.style(Quarter::Other);
                let response = Refusal::from(&denial).respond(style);
                Answer::read("GET /api/x, a proxied route", response).await
            }
        }
    }

    /// The account that signs in: the admin's where there is no entrance for others.
    fn member(&self) -> &User {
        match self.words.sign_in {
            Some(_) => &self.user,
            None => &self.admin,
        }
    }

    async fn change(&self, change: UserChange) {
        self.change_of(self.member(), change).await;
    }

    async fn change_of(&self, user: &User, change: UserChange) {
        let changed = self.core.users.change(user.id, change).await;
        assert!(changed.unwrap().is_some());
    }
}

async fn entrances(shape: Shape, story: &mut Story) {
    let world = World::of(shape).await;
    let good = world.sign_in(PASSWORD).await;
    assert_eq!(
        world.pass(&good.access(&world.words)).await,
        Answer::passed()
    );
    story.tell("good sign-in", [good]);
    story.tell("wrong password", [world.sign_in(OTHER).await]);
    let unknown = match world.words.sign_in {
        Some(words) => Some(ask(&world, words("nobody@example.com", OTHER)).await),
        None => None,
    };
    story.tell("unknown user", unknown);
    if world.words.admin_sign_in.is_some() {
        let admin = world.sign_in_as_admin(ADMIN, PASSWORD).await;
        story.tell("good sign-in of an admin", [admin]);
    }
    let not_admin = if world.words.names_admins() {
        Some(world.sign_in_as_admin(USER, PASSWORD).await)
    } else {
        None
    };
    story.tell("not an admin", not_admin);
    let target = world.words.target();
    let broken = ask(&world, words::raw(target, "{\"email\":")).await;
    let mistyped = ask(&world, words::raw(target, "{\"email\":1,\"password\":[]}")).await;
    story.tell("malformed body", [broken, mistyped]);
    world
        .change(UserChange::Status(AccountStatus::Disabled))
        .await;
    story.tell("disabled", [world.sign_in(PASSWORD).await]);
}

async fn unverified(shape: Shape, story: &mut Story) {
    let world = World::with(shape, EmailRule::MustBeVerified, Policy::off()).await;
    let unverified = UserChange::EmailStatus(EmailStatus::Unverified);
    world.change(unverified).await;
    story.tell("unverified", [world.sign_in(PASSWORD).await]);
    story.tell(
        "unverified, and a wrong password",
        [world.sign_in(OTHER).await],
    );
}

async fn refreshes(shape: Shape, story: &mut Story) {
    let world = World::of(shape).await;
    let Some(refresh) = world.words.refresh else {
        return story.tell("refresh", None);
    };
    let first = world.sign_in(PASSWORD).await.refresh_token(&world.words);
    let again = async |token: &str| ask(&world, refresh(token)).await;
    let once = again(&first).await;
    let second = once.refresh_token(&world.words);
    let access = once.access(&world.words);
    story.tell("refresh", [once]);
    story.tell("refresh again with the same token", [again(&first).await]);
    let third = again(&second).await.refresh_token(&world.words);
    let stolen = again(&first).await;
    story.tell(
        "a stolen refresh token",
        [stolen, again(&third).await, world.pass(&access).await],
    );
    story.tell("no refresh token at all", [again("junk").await]);
}

async fn ends(shape: Shape, story: &mut Story) {
    let world = World::of(shape).await;
    let session = world.sign_in(PASSWORD).await;
    let token = session.access(&world.words);
    if let Some(sign_out) = world.words.sign_out {
        let out = ask(&world, sign_out(&token)).await;
        story.tell("sign-out", [out, world.pass(&token).await]);
    } else {
        story.tell("sign-out", None);
    }
    let session = world.sign_in(PASSWORD).await;
    let caller = answer::caller();
    let ended = world.core.auth.sign_out_all(world.member().id, &caller);
    assert!(ended.await.unwrap() > 0);
    let token = session.access(&world.words);
    let mut answers = vec![world.pass(&token).await];
    if let Some(me) = world.words.current {
        answers.push(ask(&world, me(&token)).await);
    }
    if let Some(refresh) = world.words.refresh {
        answers.push(ask(&world, refresh(&session.refresh_token(&world.words))).await);
    }
    story.tell("revoked", answers);
    story.tell("no token", [world.pass("junk").await]);
    let session = world.sign_in(PASSWORD).await;
    world.core.clock.advance(Duration::from_hours(2));
    let late = world.pass(&session.access(&world.words)).await;
    story.tell("a token that has run out", [late]);
}

async fn limited(shape: Shape, story: &mut Story) {
    let limits = Policy {
        sign_in: two_an_address(),
        ..Policy::off()
    };
    let world = World::with(shape, EmailRule::MayBeUnverified, limits).await;
    world.sign_in(OTHER).await;
    world.sign_in(OTHER).await;
    story.tell("limited", [world.sign_in(PASSWORD).await]);
}

async fn away(shape: Shape, story: &mut Story) {
    for (scenario, store) in [
        ("the session store is away", Away::Sessions),
        ("the directory is away", Away::Users),
    ] {
        let world = World::of(shape).await;
        let session = world.sign_in(PASSWORD).await;
        store.befall(&world.core).await;
        let mut answers = vec![world.sign_in(PASSWORD).await];
        if let Some(refresh) = world.words.refresh {
            answers.push(ask(&world, refresh(&session.refresh_token(&world.words))).await);
        }
        // Nothing of the directory is needed to end a session.
        if let (Some(sign_out), Away::Sessions) = (world.words.sign_out, store) {
            answers.push(ask(&world, sign_out(&session.access(&world.words))).await);
        }
        story.tell(scenario, answers);
    }
}

/// What an administrator meets at an entrance of their own.
async fn admin_entrance(shape: Shape, story: &mut Story) {
    let enter = async |world: &World, password: &str| world.sign_in_as_admin(ADMIN, password).await;
    let world = World::of(shape).await;
    if world.words.admin_sign_in.is_none() {
        return story.tell("an entrance for admins", None);
    }
    let wrong = enter(&world, OTHER).await;
    story.tell("an admin's wrong password", [wrong]);
    let disabled = UserChange::Status(AccountStatus::Disabled);
    world.change_of(&world.admin, disabled).await;
    story.tell("a disabled admin", [enter(&world, PASSWORD).await]);

    let world = World::with(shape, EmailRule::MustBeVerified, Policy::off()).await;
    let unverified = UserChange::EmailStatus(EmailStatus::Unverified);
    world.change_of(&world.admin, unverified).await;
    story.tell("an unverified admin", [enter(&world, PASSWORD).await]);

    let limits = Policy {
        admin_sign_in: two_an_address(),
        ..Policy::off()
    };
    let world = World::with(shape, EmailRule::MayBeUnverified, limits).await;
    let once = enter(&world, OTHER).await;
    enter(&world, OTHER).await;
    let limited = enter(&world, PASSWORD).await;
    story.tell("an admin is limited", [once, limited]);

    for (scenario, store) in [
        ("an admin, and the session store is away", Away::Sessions),
        ("an admin, and the directory is away", Away::Users),
    ] {
        let world = World::of(shape).await;
        store.befall(&world.core).await;
        story.tell(scenario, [enter(&world, PASSWORD).await]);
    }
}

/// Two attempts in ten minutes.
fn two_an_address() -> Rules {
    Rules {
        address: Some(Quota::new(2, Duration::from_mins(10))),
        ..Rules::default()
    }
}

async fn told(shape: Shape) -> String {
    let mut story = Story::default();
    entrances(shape, &mut story).await;
    unverified(shape, &mut story).await;
    refreshes(shape, &mut story).await;
    ends(shape, &mut story).await;
    limited(shape, &mut story).await;
    away(shape, &mut story).await;
    admin_entrance(shape, &mut story).await;
    story.text()
}

#[tokio::test]
async fn insforge() {
    insta::assert_snapshot!("insforge", told(Shape::InsForge).await);
}

#[tokio::test]
async fn supabase() {
    insta::assert_snapshot!("supabase", told(Shape::Supabase).await);
}

#[tokio::test]
async fn vaniyk() {
    insta::assert_snapshot!("vaniyk", told(Shape::Vaniyk).await);
}

#[tokio::test]
async fn strikebet() {
    insta::assert_snapshot!("strikebet", told(Shape::Strikebet).await);
}

#[tokio::test]
async fn actian() {
    insta::assert_snapshot!("actian", told(Shape::Actian).await);
}
