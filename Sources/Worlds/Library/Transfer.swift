import Foundation
import Synchronization

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// One HTTP request whose body is appended to a part file, from where that file ends.
final class Transfer: NSObject, URLSessionDataDelegate, Sendable {
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
    var verdict: Result<Outcome, LibraryError>?
    var told = 0
    var promised: Int?
    var continuation: CheckedContinuation<Result<Outcome, LibraryError>, Never>?
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
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = max(1, Double(silence.components.seconds))
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 1
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: queue)
    defer { session.finishTasksAndInvalidate() }
    var request = URLRequest(url: url)
    // The files are compressed themselves; a server must not be invited to unpack or repack them.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    request.setValue("murmuration", forHTTPHeaderField: "User-Agent")
    if offset > 0 {
      request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range")
      if let known = try? String(contentsOfFile: tag, encoding: .utf8), !known.isEmpty {
        request.setValue(known, forHTTPHeaderField: "If-Range")
      }
    }
    let task = session.dataTask(with: request)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        state.withLock { $0.continuation = continuation }
        task.resume()
      }
    } onCancel: {
      task.cancel()
    }
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    let verdict = accept(response)
    if let verdict { state.withLock { $0.verdict = $0.verdict ?? verdict } }
    completionHandler(verdict == nil ? .allow : .cancel)
  }

  /// Decides on the status line and headers; `nil` means that the body is wanted.
  private func accept(_ response: URLResponse) -> Result<Outcome, LibraryError>? {
    guard let http = response as? HTTPURLResponse else { return .success(.failed("the answer is not HTTP")) }
    switch http.statusCode {
    case 206:
      let range = http.value(forHTTPHeaderField: "Content-Range") ?? ""
      let start = range.drop { !$0.isNumber }.prefix { $0.isNumber }
      guard Int(start) == offset else { return .success(.startOver) }
      if http.expectedContentLength >= 0 { state.withLock { $0.promised = offset + Int(http.expectedContentLength) } }
    case 200:
      if http.expectedContentLength >= 0 { state.withLock { $0.promised = Int(http.expectedContentLength) } }
      do throws(LibraryError) { try state.withLock { (state) throws(LibraryError) in try state.part.truncate() } } catch {
        return .failure(error)
      }
    case 416: return .success(.startOver)
    case 408, 425, 429, 500...599: return .success(.failed("the server answers \(http.statusCode)"))
    case 404, 410: return .success(.refused("the server does not have this file (\(http.statusCode))"))
    default: return .success(.refused("the server answers \(http.statusCode)"))
    }
    remember(http)
    return nil
  }

  /// Keeps the version's name beside the part; weak tags name no bytes and are of no use for ranges.
  private func remember(_ http: HTTPURLResponse) {
    let strong = http.value(forHTTPHeaderField: "ETag").flatMap { $0.hasPrefix("W/") ? nil : $0 }
    let known = strong ?? http.value(forHTTPHeaderField: "Last-Modified") ?? ""
    // Without it a resumed fetch still works; the checksum is what decides.
    try? known.write(toFile: tag, atomically: false, encoding: .utf8)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let news: Int? = state.withLock { state in
      guard state.verdict == nil else { return nil }
      do throws(LibraryError) {
        try state.part.append(data)
      } catch {
        state.verdict = .failure(error)
        return nil
      }
      if let expected, state.part.size > expected {
        state.verdict = .success(.whole)
        return nil
      }
      guard state.part.size - state.told >= 1 << 18 || state.part.size == expected else { return nil }
      state.told = state.part.size
      return state.told
    }
    if let news { report(news) } else if state.withLock({ $0.verdict != nil }) { dataTask.cancel() }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    let (continuation, result) = state.withLock { state in
      defer { state.continuation = nil }
      var result = state.verdict ?? .success(ended(error, received: state.part.size, promised: state.promised))
      do throws(LibraryError) { try state.part.finish() } catch { result = .failure(error) }
      return (state.continuation, result)
    }
    continuation?.resume(returning: result)
  }

  private func ended(_ error: (any Error)?, received: Int, promised: Int?) -> Outcome {
    if let error { return .failed(Transfer.words(error)) }
    if let total = expected ?? promised, received < total {
      return .failed("the connection ended after \(received) of \(total) bytes")
    }
    return .whole
  }

  private static func words(_ error: any Error) -> String {
    guard let error = error as? URLError else { return "the connection failed (\(error))" }
    switch error.code {
    case .cancelled: return "stopped"
    case .timedOut: return "the server is silent"
    case .cannotFindHost, .dnsLookupFailed: return "there is no such server, or no network"
    case .cannotConnectToHost: return "the server cannot be reached"
    case .networkConnectionLost: return "the connection was lost"
    case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate:
      return "the server's certificate is not trusted"
    default: return "the connection failed (\(error.localizedDescription))"
    }
  }
}
