//! Accounts from files: ours, and those that other systems export.

use super::*;

const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const BCRYPT_PASSWORD: &str = "U*U";

/// Places and reasons of the rows that were refused, and the last line.
fn refusals(said: &str) -> (Vec<&str>, &str) {
    let mut lines: Vec<_> = said.lines().collect();
    let summary = lines.pop().unwrap();
    (lines, summary)
}

#[tokio::test]
async fn an_import_takes_whole_rows_and_names_the_others() {
    let desk = Desk::new().await;
    let id = "0192f0c1-2345-7000-8000-000000000001";
    let rows = [
        format!(
            r#"{{"id":"{id}","email":"A@example.com","username":"alice","password_hash":"{BCRYPT}","roles":["admin"],"email_verified":true,"profile":{{"name":"Alice"}}}}"#
        ),
        r#"{"email":"nobody"}"#.to_owned(),
        r#"{"email":"b@example.com","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}"#
            .to_owned(),
        r#"{"email":"c@example.com","locked":true}"#.to_owned(),
        r#"{"email":"d@example.com","username":"alice"}"#.to_owned(),
        r#"{"email":"e@example.com","email_verified":"$2b$secret"}"#.to_owned(),
        r#"{"email":"f@example.com","roles":["Admin"]}"#.to_owned(),
        r#"{"email":"#.to_owned(),
        r#"{"email":"g@example.com","id":"7"}"#.to_owned(),
        r#"{"email":"h@example.com"}"#.to_owned(),
        r#"{"email":"i@example.com","email":"j@example.com"}"#.to_owned(),
    ];
    let file = desk.file(&rows.join("\n"));
    let (done, said) = desk.pipe(&format!("import {file}"), &[]).await;
    assert!(
        matches!(done, Err(UserError::ImportIncomplete(9))),
        "{done:?}\n{said}"
    );
    let (refused, summary) = refusals(&said);
    let lines: Vec<_> = refused
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let expected = [
        "line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 11",
    ];
    assert_eq!(lines, expected, "{said}");
    assert_eq!(summary, "2 added, 9 refused");
    for secret in ["5f4dcc", "$2b$", "CCCC"] {
        assert!(!said.contains(secret), "{said}");
    }
    let alice = desk.user("alice").await.unwrap();
    assert_eq!(alice.user.id.to_string(), id);
    assert_eq!(alice.user.email_status, EmailStatus::Verified);
    assert_eq!(alice.user.profile["name"], "Alice");
    assert!(alice.user.roles.has_admin());
    assert!(desk.signs_in("alice", BCRYPT_PASSWORD).await);
    assert!(desk.user("h@example.com").await.unwrap().password.is_none());
    assert!(desk.user("d@example.com").await.is_none());
}

#[tokio::test]
async fn an_import_reads_an_array_too() {
    let desk = Desk::new().await;
    let file = desk.file("\n[{\"email\":\"a@example.com\"},\n{\"email\":\"a\"},{}]");
    let (_, said) = desk.pipe(&format!("import {file}"), &[]).await;
    let (refused, summary) = refusals(&said);
    assert_eq!(summary, "1 added, 2 refused");
    assert!(refused[0].starts_with("row 2 (line 3): "), "{said}");
    assert_eq!(refused[1], "row 3 (line 3): missing field \"email\"");
    let file = desk.file("[{\"email\":\"b@example.com\"},");
    let broken = desk.pipe(&format!("import {file}"), &[]).await.0;
    assert!(
        matches!(broken, Err(UserError::ImportForm { .. })),
        "{broken:?}"
    );
    assert!(desk.user("b@example.com").await.is_none());
    let missing = desk.pipe("import /nowhere/at/all", &[]).await.0;
    assert!(
        matches!(missing, Err(UserError::Import { .. })),
        "{missing:?}"
    );
}

/// As `COPY auth.users TO … CSV HEADER` writes it.
const SUPABASE: &str = r#"instance_id,id,aud,role,email,encrypted_password,email_confirmed_at,invited_at,confirmation_token,confirmation_sent_at,recovery_token,recovery_sent_at,email_change_token_new,email_change,email_change_sent_at,last_sign_in_at,raw_app_meta_data,raw_user_meta_data,is_super_admin,created_at,updated_at,phone,phone_confirmed_at,phone_change,phone_change_token,phone_change_sent_at,confirmed_at,email_change_token_current,email_change_confirm_status,banned_until,reauthentication_token,reauthentication_sent_at,is_sso_user,deleted_at,is_anonymous
00000000-0000-0000-0000-000000000000,9eccd179-b0b6-4ee1-b37a-f9fb2e1771a0,authenticated,authenticated,admin@example.com,HASH,2026-02-16 21:40:39.269764+00,,"",,"",,"","",,2026-02-16 21:45:00+00,"{""provider"": ""email"", ""providers"": [""email""]}","{""full_name"":
""Ada L."", ""quote"": ""\""a, b\""""}",t,2026-02-16 21:40:39+00,2026-02-16 21:40:39+00,,,"","",,2026-02-16 21:40:39.269764+00,"",0,,"",,f,,f
00000000-0000-0000-0000-000000000000,9eccd179-b0b6-4ee1-b37a-f9fb2e1771a1,authenticated,authenticated,banned@example.com,HASH,,,"",,"",,"","",,,{},{},,2026-02-16 21:40:39+00,2026-02-16 21:40:39+00,,,"","",,,"",0,2126-01-01 00:00:00+00,"",,f,,f
00000000-0000-0000-0000-000000000000,9eccd179-b0b6-4ee1-b37a-f9fb2e1771a2,authenticated,authenticated,free@example.com,HASH,,,"",,"",,"","",,,{},{},,2026-02-16 21:40:39+00,2026-02-16 21:40:39+00,,,"","",,,"",0,2020-01-01 00:00:00+00,"",,f,,f
00000000-0000-0000-0000-000000000000,9eccd179-b0b6-4ee1-b37a-f9fb2e1771a3,authenticated,authenticated,,,,,"",,"",,"","",,,{},{},,2026-02-16 21:40:39+00,2026-02-16 21:40:39+00,,,"","",,,"",0,,"",,f,,t
00000000-0000-0000-0000-000000000000,9eccd179-b0b6-4ee1-b37a-f9fb2e1771a4,too,few
"#;

#[tokio::test]
async fn the_users_of_a_supabase_project_come_over_with_their_passwords() {
    let desk = Desk::new().await;
    let file = desk.file(&SUPABASE.replace("HASH", BCRYPT));
    let (_, said) = desk.pipe(&format!("import {file}"), &[]).await;
    let (refused, summary) = refusals(&said);
    assert_eq!(summary, "3 added, 2 refused");
    assert_eq!(
        refused,
        [
            // The quoted line break of the first row counts.
            "line 6: missing field \"email\"",
            "line 7: 4 cells where the head has 35",
        ]
    );
    let admin = desk.user("admin@example.com").await.unwrap().user;
    let id = "9eccd179-b0b6-4ee1-b37a-f9fb2e1771a0";
    assert_eq!(admin.id.to_string(), id);
    assert_eq!(admin.email_status, EmailStatus::Verified);
    assert_eq!(admin.profile["full_name"], "Ada L.");
    assert_eq!(admin.profile["quote"], "\"a, b\"");
    assert_eq!(admin.metadata["provider"], "email");
    // What is an admin there is none here.
    assert!(admin.roles.is_empty());
    assert!(desk.signs_in("admin@example.com", BCRYPT_PASSWORD).await);
    let banned = desk.user("banned@example.com").await.unwrap();
    assert_eq!(banned.user.status, AccountStatus::Disabled);
    assert_eq!(banned.user.email_status, EmailStatus::Unverified);
    assert!(banned.password.is_some());
    let free = desk.user("free@example.com").await.unwrap().user;
    assert_eq!(free.status, AccountStatus::Enabled);
}

#[tokio::test]
async fn the_password_export_of_auth0_comes_over() {
    let desk = Desk::new().await;
    let rows = [
        format!(
            r#"{{"_id":{{"$oid":"5dea9f9c82dd7c0e76e4ec93"}},"email_verified":true,"email":"nico@example.com","passwordHash":"{BCRYPT}","password_set_date":{{"$date":"2019-12-06T18:36:12.412Z"}},"tenant":"example","connection":"Username-Password-Authentication","_tmp_is_unique":true,"alt_id":"euclid"}}"#
        ),
        format!(
            r#"{{"_id":{{"$oid":"5dea9f9c82dd7c0e76e4ec94"}},"passwordHash":"{BCRYPT}","identifiers":[{{"type":"email","value":"only@example.com","verified":true}}]}}"#
        ),
    ];
    let said = desk
        .said(&format!("import {}", desk.file(&rows.join("\n"))))
        .await;
    assert_eq!(said, "2 added, 0 refused\n");
    let nico = desk.user("nico@example.com").await.unwrap().user;
    assert_eq!(nico.metadata["auth0_user_id"], "auth0|euclid");
    let only = desk.user("only@example.com").await.unwrap().user;
    let id = "auth0|5dea9f9c82dd7c0e76e4ec94";
    assert_eq!(only.metadata["auth0_user_id"], id);
    assert_eq!(only.email_status, EmailStatus::Verified);
    for login in ["nico@example.com", "only@example.com"] {
        assert!(desk.signs_in(login, BCRYPT_PASSWORD).await, "{login}");
    }
}

#[tokio::test]
async fn the_custom_hashes_of_an_auth0_import_file_come_over() {
    let desk = Desk::new().await;
    // RFC 7914 §12, in hex, and a digest that nobody should bring.
    let scrypt = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640";
    let file = format!(
        r#"[
  {{"email":"s@example.com","user_id":"auth0|s","blocked":true,"given_name":"S","user_metadata":{{"theme":"dark"}},
    "custom_password_hash":{{"algorithm":"scrypt","hash":{{"value":"{scrypt}","encoding":"hex"}},"salt":{{"value":"NaCl","encoding":"utf8"}},"keylen":64,"cost":1024,"blockSize":8,"parallelization":16}}}},
  {{"email":"p@example.com","custom_password_hash":{{"algorithm":"pbkdf2","hash":{{"value":"$pbkdf2-sha256$i=1000$c29tZSBzYWx0IGJ5dGVzIQ$eqW3dOTyUasY0fGrE7zxQotEyDRtTuhaZek7wrSLQdg","encoding":"utf8"}}}}}},
  {{"email":"m@example.com","custom_password_hash":{{"algorithm":"md5","hash":{{"value":"5f4dcc3b5aa765d61d8327deb882cf99","encoding":"hex"}}}}}}
]"#
    );
    let (_, said) = desk
        .pipe(&format!("import {}", desk.file(&file)), &[])
        .await;
    let (refused, summary) = refusals(&said);
    assert_eq!(summary, "2 added, 1 refused");
    let reason = "custom_password_hash is of an algorithm that cannot be checked here";
    assert_eq!(refused, [format!("row 3 (line 5): {reason}")]);
    assert!(desk.signs_in("s@example.com", "password").await);
    assert!(desk.signs_in("p@example.com", "correct horse").await);
    let blocked = desk.user("s@example.com").await.unwrap().user;
    assert_eq!(blocked.status, AccountStatus::Disabled);
    assert_eq!(blocked.profile["given_name"], "S");
    assert_eq!(blocked.profile["theme"], "dark");
    assert_eq!(blocked.metadata["auth0_user_id"], "auth0|s");
}

#[tokio::test]
async fn the_users_of_insforge_come_over() {
    let desk = Desk::new().await;
    let file = format!(
        "id,email,password,email_verified,created_at,updated_at,profile,metadata,is_project_admin,is_anonymous\n\
         0192f0c1-2345-7000-8000-000000000001,a@example.com,{BCRYPT},t,2026-02-16,2026-02-16,\"{{\"\"name\"\":\"\"A\"\"}}\",,t,f\n"
    );
    let said = desk.said(&format!("import {}", desk.file(&file))).await;
    assert_eq!(said, "1 added, 0 refused\n");
    let user = desk.user("a@example.com").await.unwrap().user;
    assert_eq!(user.email_status, EmailStatus::Verified);
    assert_eq!(user.profile["name"], "A");
    assert!(user.roles.is_empty());
    assert!(desk.signs_in("a@example.com", BCRYPT_PASSWORD).await);
}

#[tokio::test]
async fn columns_are_found_by_name_and_unknown_ones_refuse_the_file() {
    let desk = Desk::new().await;
    let table = format!(
        "\u{feff}hash,locked,email,roles\r\n{BCRYPT},yes,a@example.com,\"admin, editor\"\r\n"
    );
    let file = desk.file(&table);
    let unknown = desk.pipe(&format!("import {file}"), &[]).await.0;
    let Err(UserError::ImportForm { source, .. }) = unknown else {
        panic!("{unknown:?}");
    };
    assert!(source.to_string().contains("\"locked\""), "{source}");
    assert!(desk.user("a@example.com").await.is_none());
    desk.said(&format!("import {file} --ignore locked")).await;
    let user = desk.user("a@example.com").await.unwrap().user;
    assert_eq!(show::roles(&user.roles), "admin,editor");
    assert!(desk.signs_in("a@example.com", BCRYPT_PASSWORD).await);
    let twice = desk.file("email,email\na@example.com,b@example.com\n");
    let twice = desk.pipe(&format!("import {twice}"), &[]).await.0;
    assert!(
        matches!(twice, Err(UserError::ImportForm { .. })),
        "{twice:?}"
    );
}

#[tokio::test]
async fn a_dry_run_says_what_an_import_would_do_and_changes_nothing() {
    let desk = Desk::new().await;
    desk.said("add taken@example.com --username taken").await;
    let file = desk.file(
        "email,username\na@example.com,a\ntaken@example.com,\nb@example.com,taken\n\
         A@example.com,\nc@example.com,a\nnobody,\n",
    );
    let (dry, said) = desk.pipe(&format!("import {file} --dry-run"), &[]).await;
    assert!(
        matches!(dry, Err(UserError::ImportIncomplete(5))),
        "{dry:?}"
    );
    let (dry_refused, summary) = refusals(&said);
    assert_eq!(summary, "1 would be added, 5 refused; nothing was changed");
    assert!(desk.user("a@example.com").await.is_none());
    let (_, said) = desk.pipe(&format!("import {file}"), &[]).await;
    let (refused, summary) = refusals(&said);
    assert_eq!(summary, "1 added, 5 refused");
    let lines = |refused: &[&str]| -> Vec<String> {
        let line = |it: &&str| it.split(':').next().unwrap().to_owned();
        refused.iter().map(line).collect()
    };
    assert_eq!(lines(&dry_refused), lines(&refused));
}

#[tokio::test]
async fn a_hash_that_costs_too_much_is_refused_at_the_import() {
    let desk = Desk::new().await;
    let file = desk.file(
        "email,hash\na@example.com,\"$scrypt$ln=30,r=8,p=1$c29tZSBzYWx0IGJ5dGVzIQ$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14\"\n",
    );
    let (_, said) = desk.pipe(&format!("import {file}"), &[]).await;
    let reason = "password_hash is a password hash that would cost too much to check";
    assert_eq!(refusals(&said).0, [format!("line 2: {reason}")]);
    assert!(desk.user("a@example.com").await.is_none());
}
