//! `minimax data fetch`, `verify` and `list` as a user meets them, with a server that fails in every way
//! that servers and networks do.
#![cfg(feature = "app")]

mod common;
#[path = "common/server.rs"]
mod server;

use common::{fail, minimax, one_line, read, succeed};
use flate2::{Compression, write::GzEncoder};
use minimax::data::sum::Sum;
use server::{Request, Server, answer, cut, not_found, ranged, whole};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

/// Something that doesn't repeat, of a size that comes in several reads.
fn bytes(count: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(next).collect()
}

fn sum(bytes: &[u8]) -> Sum {
    Sum::of(bytes).unwrap().0
}

/// A set `toy` whose one file `name` has the size and the sum of `body`; `contents` is its TOML.
fn set(mirrors: &[&str], name: &str, body: &[u8], contents: &str) -> String {
    format!(
        "[[set]]\nname = \"toy\"\ntitle = \"A toy\"\ntraining = 5\ntest = 0\nshape = [2, 2, 1]\n\
         licence = \"free\"\ncitation = \"Nobody\"\nmirrors = {mirrors:?}\n\
         [[set.file]]\nname = \"{name}\"\nbytes = {}\nsha256 = \"{}\"\ncontents = [{contents}]\n",
        body.len(),
        sum(body)
    )
}

/// A folder with a manifest of a set `toy`, whose one file `file` is `body` and comes from `mirrors`.
fn toy(mirrors: &[&str], body: &[u8]) -> TempDir {
    with_manifest(&set(mirrors, "file", body, ""))
}

fn with_manifest(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("m.toml"), text).unwrap();
    folder
}

const FETCH: &str = "data fetch toy --manifest m.toml";
const PART: &str = "datasets/toy/file.part";

/// Leaves `bytes` as an interrupted download would.
fn leave_part(folder: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(folder.join("datasets/toy")).unwrap();
    std::fs::write(folder.join(PART), bytes).unwrap();
}

#[track_caller]
fn assert_fetched(folder: &Path, body: &[u8]) {
    assert!(read(folder, "datasets/toy/file") == body, "other bytes");
    assert!(!folder.join(PART).exists());
}

fn asked(from: Option<usize>) -> Request {
    let path = "/file".into();
    Request { path, from }
}

#[test]
fn a_whole_download_is_verified_listed_and_not_repeated() {
    let body = bytes(300_000);
    let copy = body.clone();
    let server = Server::start(move |request, _| ranged(&copy, request));
    let folder = toy(&[&server.url], &body);
    let folder = folder.path();

    assert!(succeed(folder, "data list --manifest m.toml").contains("  no  "));
    let said = fail(folder, "data verify toy --manifest m.toml", 1);
    assert!(said.contains("1 of 1 files") && said.contains("data fetch toy"), "{said}");

    let said = succeed(folder, FETCH);
    assert_fetched(folder, &body);
    assert_eq!(server.requests(), [asked(None)]);
    for line in ["300.00 kB from http://127", "file: done", "licence: free", "cite: Nobody"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(succeed(folder, FETCH).contains("file: is there already"));
    assert_eq!(server.requests(), []);

    let said = succeed(folder, "data verify toy --manifest m.toml");
    assert!(said.contains("300,000") && said.contains("ok: as published"), "{said}");
    // A folder of any name is recognised by the files in it.
    assert_eq!(succeed(folder, "data verify datasets/toy --manifest m.toml"), said);
    let list = succeed(folder, "data list --manifest m.toml");
    assert!(list.contains("datasets/toy") && list.contains("2x2x1"), "{list}");
    let list = succeed(folder, "data list --manifest m.toml --json");
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list[1]["bytes"], 300_000);
    assert_eq!(list[1]["files"], serde_json::json!([1, 1]));

    // A damaged file is told, and fetched again.
    let mut damaged = body.clone();
    damaged[7] ^= 1;
    std::fs::write(folder.join("datasets/toy/file"), damaged).unwrap();
    let output = minimax(folder, "data verify toy --manifest m.toml").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("its SHA-256 should be"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    succeed(folder, FETCH);
    assert_fetched(folder, &body);
}

#[test]
fn a_cut_connection_is_taken_up_where_it_broke() {
    let body = bytes(200_000);
    let copy = body.clone();
    let server = Server::start(move |request, n| match n {
        // With a length that is not kept, and without any length.
        0 => cut(whole(&copy), 50_000),
        1 => {
            let head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 150000-199999/200000";
            [format!("{head}\r\n\r\n").as_bytes(), &copy[150_000..190_000]].concat()
        }
        _ => ranged(&copy, request),
    });
    let folder = toy(&[&server.url], &body);
    let said = succeed(folder.path(), FETCH);
    assert!(said.contains("cut after 150000 of 200000"), "{said}");
    assert!(said.contains("going on after 190.00 kB"), "{said}");
    assert_fetched(folder.path(), &body);
    let from = [None, Some(150_000), Some(190_000)];
    assert_eq!(server.requests(), from.map(asked));
}

#[test]
fn what_an_earlier_run_left_is_gone_on_with() {
    let body = bytes(1000);
    let copy = body.clone();
    let server = Server::start(move |request, _| ranged(&copy, request));
    let folder = toy(&[&server.url], &body);
    let folder = folder.path();
    let try_with = |part: &[u8], requests: &[Request]| {
        leave_part(folder, part);
        succeed(folder, FETCH);
        assert_fetched(folder, &body);
        assert_eq!(server.requests(), requests);
        std::fs::remove_file(folder.join("datasets/toy/file")).unwrap();
    };
    try_with(&body[..400], &[asked(Some(400))]);
    try_with(&body, &[]);
    // Bytes that are not the file's: all of it once more.
    try_with(&[0; 400], &[asked(Some(400)), asked(None)]);
    try_with(&[0; 1001], &[asked(None)]);
}

#[test]
fn a_server_without_ranges_is_asked_for_everything() {
    let body = bytes(1000);
    for status in ["200 OK", "416 Range Not Satisfiable", "206 Partial Content"] {
        let copy = body.clone();
        let server = Server::start(move |request, _| match (request.from, status) {
            (None, _) | (_, "200 OK") => whole(&copy),
            _ => answer(status, "", b""),
        });
        let folder = toy(&[&server.url], &body);
        leave_part(folder.path(), &body[..400]);
        succeed(folder.path(), FETCH);
        assert_fetched(folder.path(), &body);
        assert_eq!(server.requests()[0], asked(Some(400)));
    }
}

#[test]
fn a_wrong_sum_removes_what_came_and_says_both() {
    let (body, mut other) = (bytes(1000), bytes(1000));
    other[500] ^= 1;
    let found = sum(&other);
    let server = Server::start(move |_, _| whole(&other));
    let folder = toy(&[&server.url], &body);
    let said = fail(folder.path(), FETCH, 1);
    let wanted = format!("its SHA-256 is {found} and should be {}", sum(&body));
    assert!(said.starts_with("error: datasets/toy/file: no mirror gave it"), "{said}");
    assert!(said.contains(&wanted) && said.contains("another mirror"), "{said}");
    assert!(!folder.path().join(PART).exists());
    assert!(!folder.path().join("datasets/toy/file").exists());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn mirrors_are_tried_in_turn_and_what_each_said_is_told() {
    let body = bytes(1000);
    let copy = body.clone();
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/b/file" => whole(&copy),
        "/moved/file" => answer("302 Found", "Location: /b/file\r\n", b""),
        _ => not_found(),
    });
    let mirror = |name: &str| format!("{}/{name}", server.url);
    let folder = toy(&[&mirror("a"), &mirror("b/")], &body);
    succeed(folder.path(), FETCH);
    assert_fetched(folder.path(), &body);
    let paths = |server: &Server| server.requests().into_iter().map(|request| request.path);
    assert!(paths(&server).eq(["/a/file", "/b/file"]));

    let folder = toy(&[&mirror("a"), &mirror("c")], &body);
    let said = fail(folder.path(), FETCH, 1);
    for name in ["a", "c"] {
        assert!(said.contains(&format!("{}/file: 404 Not Found", mirror(name))), "{said}");
    }
    assert!(said.contains("download it there by hand"), "{said}");
    assert!(!folder.path().join(PART).exists());

    let with_mirror = format!("{FETCH} --out here --mirror {}", mirror("moved"));
    succeed(folder.path(), &with_mirror);
    assert!(read(folder.path(), "here/file") == body);
}

#[test]
fn other_sizes_than_the_manifest_says_are_refused() {
    let body = bytes(1000);
    let endless = |server: &Request| server.path.starts_with("/endless");
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/more/file" => whole(&bytes(1001)),
        "/less/file" => whole(&bytes(999)),
        _ if endless(request) => [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &bytes(500_000)].concat(),
        _ => not_found(),
    });
    for (name, what) in
        [("more", "offers 1001 bytes"), ("less", "offers 999 bytes"), ("endless", "sends more than 1000 bytes")]
    {
        let folder = toy(&[&format!("{}/{name}", server.url)], &body);
        let said = fail(folder.path(), FETCH, 1);
        assert!(said.contains(what), "{said}");
        assert!(!folder.path().join("datasets/toy/file").exists());
    }
    // An offer that is refused costs nothing of what is there.
    let folder = toy(&[&format!("{}/less", server.url)], &body);
    leave_part(folder.path(), &body[..400]);
    fail(folder.path(), FETCH, 1);
    assert_eq!(read(folder.path(), PART), &body[..400]);
}

/// A `.gz` is itself what was asked for, whatever the server calls it.
#[test]
fn a_gzip_file_stays_packed() {
    let body = gzip(&bytes(1000));
    let copy = body.clone();
    let server = Server::start(move |_, _| answer("200 OK", "Content-Encoding: gzip\r\n", &copy));
    let inner = bytes(1000);
    let contents = format!("{{ name = \"a\", bytes = 1000, sha256 = \"{}\" }}", sum(&inner));
    let folder = with_manifest(&set(&[&server.url], "a.gz", &body, &contents));
    let folder = folder.path();
    succeed(folder, FETCH);
    assert!(read(folder, "datasets/toy/a.gz") == body);

    // A plain file that is wrong would be read in its place.
    std::fs::write(folder.join("datasets/toy/a"), b"wrong").unwrap();
    let said = fail(folder, FETCH, 1);
    assert!(said.contains("toy/a: 5 bytes, not 1000; remove it"), "{said}");
    std::fs::write(folder.join("datasets/toy/a"), inner).unwrap();
    succeed(folder, FETCH);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A `.tar` of these files; a path is written as it is, even one that leads elsewhere.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A folder with a manifest of an archive with `a.bin` (with a sum) and `b.bin` (without).
fn archived(server: &Server, packed: &[u8], a: &[u8], b: &[u8]) -> TempDir {
    let contents = format!(
        "{{ name = \"a.bin\", bytes = {}, sha256 = \"{}\" }}, {{ name = \"b.bin\", bytes = {} }}",
        a.len(),
        sum(a),
        b.len()
    );
    with_manifest(&set(&[&server.url], "x.tar.gz", packed, &contents))
}

#[test]
fn an_archive_is_unpacked_by_the_names_of_the_manifest() {
    let (a, b) = (bytes(100_000), bytes(5000));
    let files = [("x/readme", &b"hello"[..]), ("../../a.bin", &a), ("x/b.bin", &b)];
    let packed = gzip(&archive(&files));
    let copy = packed.clone();
    let server = Server::start(move |request, _| ranged(&copy, request));
    let parent = archived(&server, &packed, &a, &b);
    let folder = parent.path();
    succeed(folder, FETCH);
    assert!(read(folder, "datasets/toy/a.bin") == a);
    assert!(read(folder, "datasets/toy/b.bin") == b);
    let names = std::fs::read_dir(folder.join("datasets/toy")).unwrap();
    assert_eq!(names.count(), 2);
    assert!(!folder.join("a.bin").exists());
    assert_eq!(server.requests().len(), 1);

    let said = succeed(folder, "data verify toy --manifest m.toml");
    assert!(said.contains("b.bin") && said.contains("its sum is not known"), "{said}");
    succeed(folder, FETCH);
    assert_eq!(server.requests(), []);

    // One that was put there by hand is unpacked without a download.
    std::fs::remove_file(folder.join("datasets/toy/b.bin")).unwrap();
    std::fs::write(folder.join("datasets/toy/x.tar.gz"), &packed).unwrap();
    succeed(folder, FETCH);
    assert!(read(folder, "datasets/toy/b.bin") == b);
    assert_eq!(server.requests(), []);
}

#[test]
fn an_archive_that_holds_something_else_is_one_line() {
    let (a, b) = (bytes(100_000), bytes(5000));
    let good = archive(&[("a.bin", &a), ("b.bin", &b)]);
    let cases = [
        (gzip(&good[..60_000]), "damaged archive"),
        (gzip(&good)[..60_000].to_vec(), "damaged archive"),
        (b"neither".to_vec(), "damaged archive"),
        (gzip(&archive(&[("a.bin", &a)])), "b.bin is not in it"),
        (gzip(&archive(&[("a.bin", &b)])), "a.bin in it has 5000 bytes, not 100000"),
        (gzip(&archive(&[("a.bin", &[0; 100_000])])), "the SHA-256 of a.bin in it is"),
    ];
    for (packed, what) in cases {
        let copy = packed.clone();
        let server = Server::start(move |request, _| ranged(&copy, request));
        let folder = archived(&server, &packed, &a, &b);
        let said = fail(folder.path(), FETCH, 1);
        assert!(said.contains(what) && said.contains("x.tar.gz: "), "{said}");
        assert!(said.contains("download it again"), "{said}");
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_has_come() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let body = bytes(100_000);
    let copy = body.clone();
    let server = Server::with(move |_, _, stream| {
        let answer = whole(&copy);
        let _ = stream.write_all(&answer[..50_000]);
        // A byte now and then, until the other side has gone.
        for byte in &answer[50_000..] {
            std::thread::sleep(Duration::from_millis(5));
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
        }
    });
    let folder = toy(&[&server.url], &body);
    let mut command = minimax(folder.path(), FETCH);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let part = folder.path().join(PART);
    let start = Instant::now();
    while std::fs::metadata(&part).map_or(0, |part| part.len()) < 40_000 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.starts_with("stopped with ") && said.contains("file.part"), "{said}");
    assert!(body.starts_with(&std::fs::read(&part).unwrap()));
}

#[test]
fn commands_written_wrong() {
    let folder = with_manifest("[[set]]\nname = 1\n");
    let folder = folder.path();
    for (arguments, code, what) in [
        ("data fetch mnst", 2, "choose one of mnist, fashion-mnist, cifar10, svhn, svhn-extra"),
        ("data fetch digits", 2, "renders them itself"),
        ("data fetch mnist --mirror example.org", 2, "begins with https://"),
        ("data fetch mnist --manifest m.toml", 1, "m.toml: line 2: "),
        ("data fetch mnist --manifest none.toml", 1, "none.toml: "),
        ("data verify mnst", 2, "or give a folder's path"),
        ("data verify .", 1, "no file of a public data set"),
    ] {
        let said = fail(folder, arguments, code);
        assert!(said.contains(what), "{said}");
    }
    let output = minimax(folder, "data fetch mnist --manifest m.toml").output().unwrap();
    one_line(&output);
    let list = succeed(folder, "data list");
    for name in ["digits ", "mnist ", "fashion-mnist ", "cifar10 ", "svhn ", "svhn-extra "] {
        assert!(list.contains(name), "{list}");
    }
}

/// A mirror that drips is left for the next one, and one that brings everything again and again is too.
#[test]
fn a_mirror_without_headway_is_left_for_the_next() {
    use minimax::data::fetch::{Patience, Progress, fetch};
    use minimax::data::manifest::Manifest;
    use std::time::Duration;

    let body = bytes(3 << 20);
    let copy = body.clone();
    let dripping = Server::with(move |_, _, stream| {
        let answer = whole(&copy);
        for byte in &answer {
            std::thread::sleep(Duration::from_millis(5));
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
        }
    });
    // Two megabytes, and then that it can't go on from there.
    let copy = body.clone();
    let circling = Server::start(move |request, _| match request.from {
        None => cut(whole(&copy), 1 << 20),
        Some(_) => answer("416 Range Not Satisfiable", "", b""),
    });
    let copy = body.clone();
    let good = Server::start(move |request, _| ranged(&copy, request));
    let mirrors = [&*dripping.url, &circling.url, &good.url];
    let manifest = Manifest::parse("m.toml", &set(&mirrors, "file", &body, "")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let patience = Patience { stretch: Duration::from_millis(500), least: 10_000, ..Patience::default() };
    let mut left = Vec::new();
    let mut hear = |progress: Progress| {
        if let Progress::Failed { url, why, again } = progress
            && !again
        {
            left.push((url.to_string(), why.to_string()));
        }
    };
    let set = &manifest.sets[0];
    fetch(set, folder.path(), patience, &mut hear, &|| false).unwrap();
    assert!(read(folder.path(), "file") == body);
    assert!(left[0].0.starts_with(&dripping.url) && left[0].1.starts_with("too slow"));
    assert!(left[1].0.starts_with(&circling.url), "{left:?}");
    assert!(circling.requests().len() <= 6);
}

#[test]
fn what_never_began_leaves_no_folder_and_train_names_the_command() {
    let folder = toy(&["http://127.0.0.1:9/"], b"abc");
    fail(folder.path(), FETCH, 1);
    assert!(!folder.path().join("datasets").exists());
    for made in [false, true] {
        if made {
            std::fs::create_dir_all(folder.path().join("datasets/mnist")).unwrap();
        }
        let said = fail(folder.path(), "train dcgan-mnist --out run", 1);
        assert!(said.contains("minimax data fetch mnist"), "{said}");
    }
}

/// Links that somebody has put where files will be are not written through.
#[cfg(unix)]
#[test]
fn planted_links_are_not_followed() {
    let body = bytes(1000);
    let copy = body.clone();
    let server = Server::start(move |request, _| ranged(&copy, request));
    let folder = toy(&[&server.url], &body);
    let at = folder.path();
    std::fs::create_dir_all(at.join("datasets/toy")).unwrap();
    std::fs::write(at.join("precious"), "mine").unwrap();
    let plant = |name: &str| std::os::unix::fs::symlink(at.join("precious"), at.join(name));
    plant(PART).unwrap();
    let said = fail(at, FETCH, 1);
    assert!(said.contains("file.part: not a regular file; remove it"), "{said}");
    std::fs::remove_file(at.join(PART)).unwrap();
    plant("datasets/toy/file").unwrap();
    succeed(at, FETCH);
    assert_fetched(at, &body);
    assert!(!at.join("datasets/toy/file").is_symlink());
    assert_eq!(read(at, "precious"), b"mine");
}

/// A stop doesn't wait for a server that says nothing.
#[cfg(unix)]
#[test]
fn a_silent_server_holds_nobody() {
    use std::process::{Command, Stdio};

    let (heard, asked) = std::sync::mpsc::channel();
    let server = Server::with(move |_, _, stream| {
        heard.send(()).unwrap();
        // Until the other side has gone.
        let _ = std::io::Read::read(stream, &mut [0]);
    });
    let folder = toy(&[&server.url], b"abc");
    let mut command = minimax(folder.path(), FETCH);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    asked.recv().unwrap();
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.starts_with("stopped with 0 of 3 bytes"), "{said}");
}
