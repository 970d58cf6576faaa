public import MurmurDatasets

/// Why a data set could not be found, loaded, fetched or verified; its description says what to do.
public enum LibraryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Neither a known name nor a file.
  case unknown(name: String, known: [String], nearest: String?)
  /// A known data set, but its files are nowhere.
  case notHere(name: String, looked: [String])
  /// A file's content is wrong.
  case data(DataError)
  /// A file or folder cannot be read or written.
  case file(path: String, problem: String, advice: String)
  /// A server could not be reached, or gave up too often.
  case network(url: String, problem: String, attempts: Int, kept: String?)
  /// What was fetched is not what it should be.
  case wrongContent(url: String, problem: String)
  /// Somebody said stop; what was received so far is in `kept`.
  case cancelled(kept: String?)

  /// What happened and what to do, in one line.
  public var description: String {
    switch self {
    case .unknown(let name, let known, let nearest):
      "there is no data set or file '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        + " Known names: \(known.joined(separator: ", "))"
    case .notHere(let name, let looked):
      "the data set '\(name)' is not on this machine; `murmur data fetch \(name)` gets it, or set MURMUR_DATA to the folder that holds "
        + "\(name)/ (looked in \(looked.joined(separator: ", ")))"
    case .data(let error): error.description
    case .file(let path, let problem, let advice): "\(path): \(problem)" + (advice.isEmpty ? "" : "; \(advice)")
    case .network(let url, let problem, let attempts, let kept):
      "\(url): \(problem)" + (attempts > 1 ? " (tried \(attempts) times)" : "")
        + (kept.map { "; what came so far is kept in \($0), fetching again goes on from there" } ?? "")
    case .wrongContent(let url, let problem): "\(url): \(problem); nothing of it was kept"
    case .cancelled(let kept):
      "stopped" + (kept.map { "; what came so far is kept in \($0), fetching again goes on from there" } ?? "")
    }
  }
}
