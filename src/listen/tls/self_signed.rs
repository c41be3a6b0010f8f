//! A certificate for trying things out: for localhost and the host of `public_url`, kept so that a
//! restart does not make browsers ask again.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::certificate::facts;
use crate::clock::Timestamp;
use crate::listen::{BoxError, CertificateFiles};

const DAY: Duration = Duration::from_hours(24);
/// What browsers bear at most is 398 days (CA/Browser Forum, ballot SC31).
const VALID: Duration = Duration::from_hours(365 * 24);
/// A clock that is a little behind ours should find it valid already.
const BEFORE: Duration = DAY;

/// The kept certificate in `directory`, or a new one where there is none, it is for other names, or
/// it ends within a day.
pub(super) fn kept_in(
    directory: &Path,
    host: &str,
    now: Timestamp,
) -> Result<CertificateFiles, BoxError> {
    let files = CertificateFiles {
        cert: directory.join("self-signed.crt"),
        key: directory.join("self-signed.key"),
    };
    let names = names(host);
    if !still_good(&files, &names, now) {
        make(&files, names, now)?;
    }
    Ok(files)
}

fn names(host: &str) -> Vec<String> {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if !names.contains(&host) {
        names.push(host);
    }
    names
}

fn still_good(files: &CertificateFiles, names: &[String], now: Timestamp) -> bool {
    let Ok(kept) = CertificateDer::from_pem_file(&files.cert) else {
        return false;
    };
    let is_name = |name: &&String| name.parse::<std::net::IpAddr>().is_err();
    facts(&kept).is_ok_and(|facts| {
        facts.not_after > now.plus(DAY)
            && names
                .iter()
                .filter(is_name)
                .all(|name| facts.names.contains(name))
    }) && files.key.exists()
}

fn make(files: &CertificateFiles, names: Vec<String>, now: Timestamp) -> Result<(), BoxError> {
    let mut params = CertificateParams::new(names)?;
    let (year, month, day) = date(now.minus(BEFORE))?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus(VALID))?;
    params.not_after = date_time_ymd(year, month, day);
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Doorward, self-signed");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write(&files.key, &key.serialize_pem())?;
    write(&files.cert, &certificate.pem())?;
    Ok(())
}

fn date(instant: Timestamp) -> Result<(i32, u8, u8), BoxError> {
    let date = jiff::Timestamp::from_millisecond(instant.as_millis())?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let (month, day) = (u8::try_from(date.month())?, u8::try_from(date.day())?);
    Ok((date.year().into(), month, day))
}

/// Whole or not at all, and for nobody else to read: written beside its place, then moved there.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let beside = file.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _gone => {}
    }
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&beside, file)
}
