use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::metrics::Metrics;

fn issue(directory: &Path, stem: &str, name: &str) -> CertificateFiles {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let files = CertificateFiles {
        cert: directory.join(format!("{stem}.crt")),
        key: directory.join(format!("{stem}.key")),
    };
    let certificate = params.self_signed(&key).unwrap();
    fs::write(&files.cert, certificate.pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

fn load(files: &CertificateFiles) -> Result<(Certificates, Metrics), CertificateError> {
    let metrics = Metrics::new();
    let provider = aws_lc_rs::default_provider();
    let clock = ManualClock::at(Timestamp::from_seconds(1_763_696_385));
    let files = vec![files.clone()];
    let certificates = Certificates::load(files, &provider, clock, metrics.connections.clone())?;
    Ok((certificates, metrics))
}

#[test]
fn what_is_wrong_is_told_with_the_file_it_is_in() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let good = issue(path, "good", "a.test");
    let other = issue(path, "other", "b.test");
    let check = |cert: &Path, key: &Path, file: &Path, words: &str| {
        let files = CertificateFiles {
            cert: cert.to_owned(),
            key: key.to_owned(),
        };
        let error = load(&files).unwrap_err();
        assert_eq!(error.file, file);
        let told = error.to_string();
        assert!(told.contains(words), "{told}");
        assert!(told.contains(&file.display().to_string()), "{told}");
    };
    let (missing, empty) = (path.join("missing"), path.join("empty"));
    fs::write(&empty, "nothing here\n").unwrap();
    check(&missing, &good.key, &missing, "cannot be read");
    check(&good.cert, &missing, &missing, "cannot be read");
    check(&empty, &good.key, &empty, "holds no certificate");
    check(&good.cert, &empty, &empty, "holds no private key");
    check(
        &good.cert,
        &other.key,
        &other.key,
        "is not the key of the certificate in",
    );
    check(&good.key, &good.key, &good.key, "holds no certificate");
}

#[test]
fn a_bad_renewal_keeps_the_old_certificate_and_a_good_one_heals_it() {
    let directory = TempDir::new().unwrap();
    let files = issue(directory.path(), "tls", "a.test");
    let (certificates, metrics) = load(&files).unwrap();
    let old = certificates.shown_to("a.test");
    let counts = |line: &str| metrics.encode().unwrap().lines().any(|found| found == line);

    fs::write(&files.cert, "half a cert").unwrap();
    certificates.look();
    certificates.look();
    assert_eq!(certificates.shown_to("a.test"), old);
    assert!(
        counts(r#"doorward_certificate_reloads_total{result="failed"} 1"#),
        "told once, not in each round"
    );

    issue(directory.path(), "tls", "a.test");
    certificates.look();
    assert_ne!(certificates.shown_to("a.test"), old);
    assert!(counts(
        r#"doorward_certificate_reloads_total{result="ok"} 1"#
    ));
}

#[test]
fn the_end_of_a_certificate_is_a_metric() {
    let directory = TempDir::new().unwrap();
    let files = issue(directory.path(), "tls", "a.test");
    let (_, metrics) = load(&files).unwrap();
    let page = metrics.encode().unwrap();
    // What rcgen gives a certificate that is asked for nothing: the end of the year 4095.
    let line = format!(
        "doorward_certificate_not_after_timestamp_seconds{{file=\"{}\"}} 67090118400",
        files.cert.display()
    );
    assert!(page.lines().any(|found| found == line), "{page}");
}

#[test]
fn a_self_signed_certificate_is_kept_until_it_no_longer_fits() {
    let directory = TempDir::new().unwrap();
    let now = Timestamp::from_seconds(1_763_696_385);
    let day = Duration::from_hours(24);
    let kept = |host: &str, now: Timestamp| {
        let files = self_signed::kept_in(directory.path(), host, now).unwrap();
        load(&files).unwrap();
        fs::read(files.cert).unwrap()
    };
    let first = kept("gw.test", now);
    assert_eq!(kept("gw.test", now.plus(day)), first, "a restart keeps it");
    let renamed = kept("other.test", now);
    assert_ne!(renamed, first, "another host");
    assert_ne!(
        kept("other.test", now.plus(day * 364)),
        renamed,
        "almost over"
    );
    kept("192.0.2.1", now);
    kept("[2001:db8::1]", now);

    let key = directory.path().join("self-signed.key");
    let mode = fs::metadata(key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
