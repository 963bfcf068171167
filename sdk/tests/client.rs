//! The Rust face in a page: the real machine, the real driver, and no provider.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/page.rs"]
mod support;

use gatepass::{
    Client, Code, FetchError, OnLoad, Options, Scope, Session, SignIn, Status, TokenRequest,
};
use std::cell::RefCell;
use support::{ask, at, unique};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A client of a provider that nobody runs. Each has another issuer: clients of one issuer share
/// their session between tabs, and here between tests.
async fn client() -> Client {
    let port = ask(&at("/free-port").await, "GET", "").await;
    let issuer = format!("http://127.0.0.1:{port}/{}", unique("issuer"));
    Client::new(Options::new(issuer, "pied-piper").on_load(OnLoad::Manual)).unwrap()
}

/// Waits until the session is another than `restoring`.
async fn restored(client: &Client) -> Session {
    let (send, receive) = futures_channel::oneshot::channel();
    let send = RefCell::new(Some(send));
    let told = client.subscribe(move |session| {
        if session.status != Status::Restoring
            && let Some(send) = send.take()
        {
            send.send(session.clone()).unwrap();
        }
    });
    let session = receive.await.unwrap();
    drop(told);
    session
}

#[wasm_bindgen_test]
async fn sign_in_that_leads_out_of_the_app_is_refused() {
    let client = client().await;
    let sign_in = SignIn { return_to: Some("//evil.example/".to_owned()), ..SignIn::default() };
    assert_eq!(client.sign_in(sign_in).await.unwrap_err().code, Code::ReturnToRefused);
}

#[wasm_bindgen_test]
async fn nobody_has_a_token() {
    let client = client().await;
    let error = client.token(TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.code, Code::NotSignedIn);
    match client.fetch("/server.txt", &web_sys::RequestInit::new()).await {
        Err(FetchError::Gatepass(error)) => assert_eq!(error.code, Code::NotSignedIn),
        other => panic!("expected not_signed_in, got {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn request_with_an_authorization_of_its_own_is_sent_as_it_is() {
    let client = client().await;
    let init = web_sys::RequestInit::new();
    let headers = web_sys::Headers::new().unwrap();
    headers.set("authorization", "Bearer of-the-app").unwrap();
    init.set_headers(&headers);
    let response = client.fetch(&at("/echo").await, &init).await.unwrap();
    let body = wasm_bindgen_futures::JsFuture::from(response.text().unwrap()).await.unwrap();
    assert!(body.as_string().unwrap().contains("Bearer of-the-app"));
}

#[wasm_bindgen_test]
async fn address_that_is_none_is_the_browsers_error() {
    let client = client().await;
    let outcome = client.fetch("http://[", &web_sys::RequestInit::new()).await;
    assert!(matches!(outcome, Err(FetchError::Browser(_))), "{outcome:?}");
}

#[wasm_bindgen_test]
async fn wrong_configuration_is_refused() {
    for issuer in ["", "idp.example", "https://idp.example/?a", "https://idp.example/#a"] {
        let refused = Client::new(Options::new(issuer, "pied-piper"));
        assert_eq!(refused.map(drop).map_err(|error| error.code), Err(Code::ConfigInvalid));
    }
    let refused = Client::new(Options::new("https://idp.example", ""));
    assert_eq!(refused.map(drop).map_err(|error| error.code), Err(Code::ConfigInvalid));
}

#[wasm_bindgen_test]
async fn subscriber_may_call_the_client_and_end_subscriptions() {
    let client = client().await;
    let (send, receive) = futures_channel::oneshot::channel();
    let other = RefCell::new(Some(client.subscribe(|_| ())));
    let state = RefCell::new(Some((client.clone(), send)));
    let told = client.subscribe(move |session| {
        if session.status == Status::Restoring {
            return;
        }
        drop(other.take());
        if let Some((client, send)) = state.take() {
            wasm_bindgen_futures::spawn_local(async move {
                let _told = client.subscribe(|_| ());
                send.send(client.sign_out(Scope::Local).await).unwrap();
            });
        }
    });
    assert_eq!(receive.await.unwrap(), Ok(()));
    assert_eq!(client.session().status, Status::Anonymous);
    drop(told);
}

#[wasm_bindgen_test]
async fn subscriber_may_drop_the_last_client() {
    let client = client().await;
    let (send, receive) = futures_channel::oneshot::channel();
    let last = RefCell::new(Some((client.clone(), send)));
    let told = client.subscribe(move |session| {
        if session.status == Status::Anonymous
            && let Some((client, send)) = last.take()
        {
            drop(client);
            send.send(()).unwrap();
        }
    });
    drop(client);
    receive.await.unwrap();
    drop(told);
}

#[wasm_bindgen_test]
async fn last_client_that_is_dropped_lets_its_lock_go() {
    let port = ask(&at("/free-port").await, "GET", "").await;
    let issuer = format!("http://127.0.0.1:{port}");
    let options = Options::new(issuer.clone(), "pied-piper").on_load(OnLoad::Manual);
    let client = Client::new(options).unwrap();
    let clone = client.clone();
    assert_eq!(client.session().status, Status::Restoring);
    let session = restored(&client).await;
    assert_eq!((session.status, session.user()), (Status::Anonymous, None));
    assert_eq!(client.session(), session);
    let name = format!("gatepass:1:{issuer}#pied-piper");
    drop(client);
    assert_eq!(support::lock_state(&name).await, "1+0");
    drop(clone);
    assert_eq!(support::lock_state(&name).await, "0+0");
}
