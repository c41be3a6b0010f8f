//! Services whose certificates an authority of the operator's own has signed.

use http::StatusCode;

use crate::support::doorward::{Doorward, Setup};
use crate::support::sample::Sample;
use crate::support::tls::Authority;

#[tokio::test]
async fn a_service_must_show_a_certificate_of_its_authority() {
    let service = Sample::start().await;
    let (ours, theirs) = (Authority::new(), Authority::new());
    let origin = ours.before(service.address()).await;
    let mut more = String::new();
    for (name, ca) in [
        ("ours", "ca = \"ours.pem\""),
        ("theirs", "ca = \"theirs.pem\""),
        ("system", ""),
    ] {
        let entry = format!(
            "[[upstreams]]\nname = \"{name}\"\nservers = [\"{origin}\"]\n{ca}\n\
             [[routes]]\npath = \"/{name}\"\nrequire = \"public\"\nupstream = \"{name}\"\n"
        );
        more.push_str(&entry);
    }
    let setup = Setup {
        more,
        files: vec![("ours.pem", ours.pem()), ("theirs.pem", theirs.pem())],
        ..Setup::default()
    };
    let gateway = Doorward::with(setup).await;
    for path in ["/theirs", "/system"] {
        let refused = gateway.get(path, None).await;
        assert_eq!(refused.status, StatusCode::BAD_GATEWAY, "{path}");
    }
    assert!(service.seen().is_empty(), "the service was asked");
    assert_eq!(gateway.get("/ours", None).await.status, StatusCode::OK);
    assert_eq!(service.seen().len(), 1);
}
