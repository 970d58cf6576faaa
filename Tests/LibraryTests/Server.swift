import Foundation
import Synchronization

/// A small HTTP server on 127.0.0.1 that misbehaves as told, one request after the other.
final class Server: Sendable {
  /// What the server does with one request.
  enum Manner: Sendable {
    /// Serves what was asked for, ranges too.
    case proper
    /// Breaks the connection off after so many bytes of the body.
    case dropAfter(Int)
    /// Serves everything from the beginning whatever range was asked for.
    case ignoreRange
    /// Answers with a status and no file.
    case status(Int)
    /// Serves these bytes instead.
    case other([UInt8])
    /// Sends so many bytes, then says nothing until the connection is closed from the other side.
    case hang(after: Int)
    /// Sends more than it should.
    case tooMuch
    /// Answers a range with a range that begins elsewhere.
    case wrongRange
  }

  private struct State {
    var manners: [Manner]
    var requests: [String] = []
    var etag = "\"v1\""
    var closed = false
  }

  let port: Int
  private let listener: Int32
  private let content: [UInt8]
  private let state: Mutex<State>

  /// Starts serving `content`; each request uses up one of `manners`, after the last all is proper.
  init(_ content: [UInt8], _ manners: [Manner] = []) {
    self.content = content
    state = Mutex(State(manners: manners))
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    port = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        precondition(unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0, "no port on 127.0.0.1")
        unsafe getsockname(descriptor, address, &length)
      }
      return unsafe Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
    Thread.detachNewThread { [self] in serve() }
  }

  var url: String { "http://127.0.0.1:\(port)/file.bin" }
  /// The requests so far, with their headers.
  var requests: [String] { state.withLock { $0.requests } }
  /// Makes the server's file a new version.
  func changeVersion() { state.withLock { $0.etag = "\"v2\"" } }
  /// Stops listening.
  func stop() {
    state.withLock { $0.closed = true }
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func serve() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      answer(connection)
      close(connection)
    }
  }

  private func answer(_ connection: Int32) {
    var request = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !request.contains("\r\n\r\n") {
      let count = unsafe recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      request += String(decoding: buffer[..<count], as: UTF8.self)
    }
    let (manner, etag) = state.withLock { state in
      state.requests.append(request)
      return (state.manners.isEmpty ? Manner.proper : state.manners.removeFirst(), state.etag)
    }
    var start = 0
    if let range = request.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("range: bytes=") }) {
      start = Int(range.drop { $0 != "=" }.dropFirst().prefix { $0.isNumber }) ?? 0
    }
    if let condition = request.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("if-range:") }),
      !condition.hasSuffix(etag)
    {
      start = 0
    }
    var body = content
    switch manner {
    case .status(let code): return send(connection, "HTTP/1.1 \(code) No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", [])
    case .other(let bytes): body = bytes
    case .tooMuch: body += content
    case .ignoreRange: start = 0
    default: break
    }
    guard start <= body.count else {
      return send(connection, "HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", [])
    }
    let rest = Array(body[start...])
    var head = "HTTP/1.1 200 OK\r\n"
    if start > 0 {
      var claimed = start
      if case .wrongRange = manner { claimed += 1 }
      head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes \(claimed)-\(body.count - 1)/\(body.count)\r\n"
    }
    head += "Content-Length: \(rest.count)\r\nETag: \(etag)\r\nConnection: close\r\n\r\n"
    switch manner {
    case .dropAfter(let count): send(connection, head, Array(rest.prefix(count)))
    case .hang(let count):
      send(connection, head, Array(rest.prefix(count)))
      _ = unsafe recv(connection, &buffer, buffer.count, 0)
    default: send(connection, head, rest)
    }
  }

  private func send(_ connection: Int32, _ head: String, _ body: [UInt8]) {
    let bytes = Array(head.utf8) + body
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { source in
        unsafe Foundation.send(
          connection, source.baseAddress.map { unsafe $0 + offset }, source.count - offset, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      offset += count
    }
  }
}

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
  let path: String

  init() { path = NSTemporaryDirectory() + "murmur-library-" + UUID().uuidString; make(path) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  private func make(_ path: String) { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  /// Writes a file, making its folder.
  func write(_ bytes: [UInt8], _ name: String) {
    let file = path + "/" + name
    make(String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]))
    _ = FileManager.default.createFile(atPath: file, contents: Data(bytes))
  }

  func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path + "/" + name).map { Array($0) } }
  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }
}
