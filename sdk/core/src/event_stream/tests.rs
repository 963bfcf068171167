use super::{Event, EventStream};
use std::{vec, vec::Vec};

fn read(bytes: &[u8]) -> Vec<Event> {
    EventStream::default().push(bytes).unwrap()
}

fn event(name: &str, data: &str) -> Event {
    Event { name: name.into(), data: data.into() }
}

#[test]
fn events_are_read_by_the_standards_rules() {
    // The examples of HTML, 9.2.6.
    assert_eq!(read(b"data: YHOO\ndata: +2\ndata: 10\n\n"), [event("", "YHOO\n+2\n10")]);
    assert_eq!(
        read(b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
        [event("", "first event"), event("", "second event"), event("", " third event")]
    );
    assert_eq!(read(b"data\n\ndata\ndata\n\ndata:"), [event("", ""), event("", "\n")]);
    assert_eq!(read(b"data:test\n\ndata: test\n\n"), [event("", "test"), event("", "test")]);
}

#[test]
fn names_and_fields() {
    assert_eq!(read(b"event: logout\ndata: x\n\n"), [event("logout", "x")]);
    assert_eq!(read(b"event:a\nevent:b\ndata:x\n\n"), [event("b", "x")], "the last one counts");
    assert_eq!(read(b"event: logout\n\ndata: x\n\n"), [event("", "x")], "without data: no event");
    assert_eq!(read(b"Event: logout\nDATA: x\n event: y\n\n"), []);
    assert_eq!(read(b"retry: 1\nfoo: bar\ndata: x: y\n\n"), [event("", "x: y")]);
}

#[test]
fn an_event_that_is_not_ended_is_none() {
    assert_eq!(read(b"data: x\n"), []);
    assert_eq!(read(b"data: x"), []);
    assert_eq!(read(b"\n\n\n"), []);
}

#[test]
fn line_ends_may_be_of_any_kind_and_mixed() {
    for text in
        ["data: a\r\rdata: b\r\r", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\n\ndata: b\n\r"]
    {
        assert_eq!(read(text.as_bytes()), [event("", "a"), event("", "b")], "{text:?}");
    }
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let text = "\u{e9}: x\r\nevent: logout\r\ndata: \u{1f600}\r\ndata: 2\r\n\r\n: c\rdata:3\n\n"
        .as_bytes();
    let whole = read(text);
    assert_eq!(whole, [event("logout", "\u{1f600}\n2"), event("", "3")]);
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let mut stream = EventStream::default();
            let mut events = Vec::new();
            for chunk in [&text[..first], &text[first..second], &text[second..]] {
                events.extend(stream.push(chunk).unwrap());
            }
            assert_eq!(events, whole, "{first} {second}");
        }
    }
}

#[test]
fn bad_utf8_becomes_replacement_characters() {
    assert_eq!(read(b"data: a\xffb\n\n"), [event("", "a\u{fffd}b")]);
}

#[test]
fn a_line_or_an_event_without_end_breaks_the_limits() {
    let mut stream = EventStream::default();
    assert_eq!(stream.push(&[b'x'; 65_536]), Some(vec![]));
    assert_eq!(stream.push(b"x"), None);
    let mut stream = EventStream::default();
    let line = [b"data:", &[b'x'; 1000][..], b"\n"].concat();
    let broken = (0..100).any(|_| stream.push(&line).is_none());
    assert!(broken);
    // Many events one after the other are no such thing.
    let mut stream = EventStream::default();
    let whole = [&line[..], b"\n"].concat();
    assert!((0..1000).all(|_| stream.push(&whole).is_some_and(|events| events.len() == 1)));
}
