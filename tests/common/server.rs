//! A web server on the loopback interface that answers as a test says.
#![allow(dead_code, reason = "a test file uses what it needs of it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `/folder/file`.
    pub path: String,
    /// The first byte of the range, where there was one.
    pub from: Option<usize>,
}

/// The server, which runs until the test's process ends.
pub struct Server {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers the n-th request, counted from 0, with the bytes of `answer(request, n)`, and closes.
    pub fn start(answer: impl Fn(&Request, usize) -> Vec<u8> + Send + 'static) -> Server {
        Server::with(move |request, n, stream| {
            // The other side may have heard enough.
            let _ = stream.write_all(&answer(request, n));
        })
    }

    /// Lets `answer` write to the connection itself.
    pub fn with(answer: impl Fn(&Request, usize, &mut TcpStream) + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate().take(1000) {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                seen.lock().unwrap().push(request.clone());
                answer(&request, n, &mut stream);
            }
        });
        Server { url, requests }
    }

    /// All requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn read_request(stream: &mut TcpStream) -> Request {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
    Request {
        path: head.split(' ').nth(1).unwrap().into(),
        from: range.map(|range| range.trim_end_matches('-').parse().unwrap()),
    }
}

/// An answer with these headers, each with its line break, and the length of `body`.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// All of `body`.
pub fn whole(body: &[u8]) -> Vec<u8> {
    answer("200 OK", "", body)
}

/// All of `body` that the request asks for.
pub fn ranged(body: &[u8], request: &Request) -> Vec<u8> {
    match request.from {
        None => whole(body),
        Some(from) => {
            let (last, all) = (body.len() - 1, body.len());
            let range = format!("Content-Range: bytes {from}-{last}/{all}\r\n");
            answer("206 Partial Content", &range, &body[from..])
        }
    }
}

/// An answer that ends `less` bytes too early.
pub fn cut(mut answer: Vec<u8>, less: usize) -> Vec<u8> {
    answer.truncate(answer.len() - less);
    answer
}

/// That there is no such file.
pub fn not_found() -> Vec<u8> {
    answer("404 Not Found", "", b"no")
}
