import Foundation
import Synchronization

/// One HTTP request whose body is appended to a part file, from where that file ends.
///
/// The request is curl's, as a program of its own: it knows certificates, proxies and every sort of server, and a peer that fetches nothing need not
/// carry a web client around in its memory.
final class Transfer: Sendable {
  /// How an attempt ended.
  enum Outcome: Hashable, Sendable {
    /// The server sent all it has.
    case whole
    /// The part does not fit what the server has.
    case startOver
    /// The server will not give this file; asking again is of no use.
    case refused(String)
    /// The connection failed; asking again may help.
    case failed(String)
  }

  private struct State {
    var part: PartFile
    var head = ResponseHead()
    var told = 0
    var promised: Int?
    var process: pid_t?
    var isCancelled = false
  }

  private let state: Mutex<State>
  private let tag: String
  private let expected: Int?
  private let offset: Int
  private let report: @Sendable (Int) -> Void

  init(part: PartFile, tag: String, expected: Int?, report: @escaping @Sendable (Int) -> Void) {
    offset = part.size
    state = Mutex(State(part: part))
    self.tag = tag
    self.expected = expected
    self.report = report
  }

  func run(_ url: URL, silence: Duration) async -> Result<Outcome, LibraryError> {
    let arguments = arguments(url, silence: max(1, Int(silence.components.seconds)))
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Pieces are waited for on a thread of its own: nothing else stands still meanwhile.
        Thread.detachNewThread { continuation.resume(returning: self.carryOut(arguments)) }
      }
    } onCancel: {
      state.withLock { state in
        state.isCancelled = true
        if let process = state.process { Curl.stop(process) }
      }
    }
  }

  private func arguments(_ url: URL, silence: Int) -> [String] {
    // The files are compressed themselves; a server must not be invited to unpack or repack them.
    var arguments = [
      "--silent", "--include", "--location", "--max-redirs", "8", "--proto", "=http,https", "--suppress-connect-headers",
      "--connect-timeout", "\(silence)", "--speed-limit", "1", "--speed-time", "\(silence)", "--user-agent", "murmuration",
      "--header", "Accept-Encoding: identity",
    ]
    if offset > 0 {
      arguments += ["--range", "\(offset)-"]
      if let known = try? String(contentsOfFile: tag, encoding: .utf8), !known.isEmpty {
        arguments += ["--header", "If-Range: \(known)"]
      }
    }
    return arguments + ["--url", url.absoluteString]
  }

  private func carryOut(_ arguments: [String]) -> Result<Outcome, LibraryError> {
    if state.withLock({ $0.isCancelled }) { return .success(.failed("stopped")) }
    guard let curl = Curl(arguments) else { return .success(ended(127, nil)) }
    state.withLock { state in
      state.process = curl.pid
      if state.isCancelled { Curl.stop(curl.pid) }
    }
    var verdict: Result<Outcome, LibraryError>?
    while verdict == nil {
      let piece = curl.read()
      guard !piece.isEmpty else { break }
      verdict = take(Data(piece))
    }
    if verdict != nil { Curl.stop(curl.pid) }
    // The number is another process's as soon as this one's end has been taken in.
    state.withLock { $0.process = nil }
    let code = curl.end()
    return state.withLock { state in
      var result = verdict ?? .success(ended(code, state))
      do throws(LibraryError) { try state.part.finish() } catch { result = .failure(error) }
      return result
    }
  }

  /// Takes in what came; a verdict means that no more is wanted.
  private func take(_ piece: Data) -> Result<Outcome, LibraryError>? {
    do throws(LibraryError) {
      let (news, verdict) = try state.withLock { (state) throws(LibraryError) -> (Int?, Outcome?) in
        var body = piece
        if !state.head.isWhole {
          guard let rest = state.head.take(piece) else { return (nil, nil) }
          if let verdict = try accept(&state) { return (nil, verdict) }
          body = rest
        }
        guard !body.isEmpty else { return (nil, nil) }
        try state.part.append(body)
        if let expected, state.part.size > expected { return (nil, .whole) }
        guard state.part.size - state.told >= 1 << 18 || state.part.size == expected else { return (nil, nil) }
        state.told = state.part.size
        return (state.told, nil)
      }
      if let news { report(news) }
      return verdict.map { .success($0) }
    } catch {
      return .failure(error)
    }
  }

  /// Decides on the status line and headers; `nil` means that the body is wanted.
  private func accept(_ state: inout State) throws(LibraryError) -> Outcome? {
    let head = state.head
    let length = head["content-length"].flatMap { Int($0) }
    switch head.status {
    case 206:
      let start = (head["content-range"] ?? "").drop { !$0.isNumber }.prefix { $0.isNumber }
      guard Int(start) == offset else { return .startOver }
      state.promised = length.map { offset + $0 }
    case 200:
      state.promised = length
      try state.part.truncate()
    case 416: return .startOver
    case 408, 425, 429, 500...599: return .failed("the server answers \(head.status)")
    case 404, 410: return .refused("the server does not have this file (\(head.status))")
    default: return .refused("the server answers \(head.status)")
    }
    // The version's name stands beside the part; weak tags name no bytes and are of no use for ranges. Without it a resumed fetch still
    // works; the checksum is what decides.
    let strong = head["etag"].flatMap { $0.hasPrefix("W/") ? nil : $0 }
    try? (strong ?? head["last-modified"] ?? "").write(toFile: tag, atomically: false, encoding: .utf8)
    return nil
  }

  private func ended(_ code: Int32, _ state: State?) -> Outcome {
    guard code != 127, let state else {
      return .refused("fetching needs the program curl, which is not here; install it, or put the file there by hand")
    }
    if state.isCancelled { return .failed("stopped") }
    let received = state.part.size
    if state.head.isWhole, let total = expected ?? state.promised, received < total {
      return .failed(code == 28 ? Transfer.words(28) : "the connection ended after \(received) of \(total) bytes")
    }
    if code != 0 { return .failed(Transfer.words(code)) }
    return state.head.isWhole ? .whole : .failed("the answer is not HTTP")
  }

  /// curl's exit codes, as its manual has them.
  private static func words(_ code: Int32) -> String {
    switch code {
    case 5, 6: "there is no such server, or no network"
    case 7: "the server cannot be reached"
    case 28: "the server is silent"
    case 18, 52, 55, 56, 92: "the connection was lost"
    case 35, 51, 53, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91: "the server's certificate is not trusted"
    case 47: "the server sends from one address to the next, without end"
    default: "the connection failed (curl ends with code \(code))"
    }
  }
}

/// Status and headers of an HTTP answer as they come, those of redirects on the way passed over.
struct ResponseHead {
  /// More than this is no head.
  static let most = 64 << 10
  /// Whether the body begins.
  private(set) var isWhole = false
  /// The status; 0 if there is none.
  private(set) var status = 0
  private var fields: [String: String] = [:]
  private var bytes = Data()

  /// The value of a field, whose name is given in small letters.
  subscript(name: String) -> String? { fields[name] }

  /// Takes bytes in; gives those of the body once the head is whole.
  mutating func take(_ piece: Data) -> Data? {
    bytes += piece
    while let end = bytes.range(of: Data("\r\n\r\n".utf8)) {
      read(String(decoding: bytes[..<end.lowerBound], as: UTF8.self))
      bytes = Data(bytes[end.upperBound...])
      // What is only on the way: "go on", and where else to look.
      if (100..<200).contains(status) || (300..<400).contains(status) && fields["location"] != nil { continue }
      isWhole = true
      defer { bytes = Data() }
      return bytes
    }
    guard bytes.count > ResponseHead.most else { return nil }
    (isWhole, status) = (true, 0)
    return Data()
  }

  private mutating func read(_ text: String) {
    fields = [:]
    let lines = text.split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    status = words.count > 1 && words[0].hasPrefix("HTTP/") ? Int(words[1]) ?? 0 : 0
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields[line[..<colon].lowercased()] = String(value)
    }
  }
}
