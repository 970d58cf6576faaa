import Foundation
import Synchronization

/// Standard error as a place for progress: one line rewritten on a terminal, a line at each tenth elsewhere.
final class Console: Sendable {
  private struct State {
    var width = 0
    var tenth = -1
    var label = ""
  }

  private let state = Mutex(State())
  /// Whether a person watches.
  let isTerminal = isatty(STDERR_FILENO) != 0
  /// Whether standard output may be coloured.
  let isColoured = isatty(STDOUT_FILENO) != 0 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// Says how far something is.
  func progress(_ label: String, _ share: Double, _ detail: String = "") {
    let percent = Int((min(max(share, 0), 1) * 100).rounded(.down))
    state.withLock { state in
      if isTerminal {
        let bar = String(repeating: "█", count: percent / 5) + String(repeating: "░", count: 20 - percent / 5)
        let line = "\(label) \(bar) \(percent) %  \(detail)"
        let padding = String(repeating: " ", count: max(state.width - line.count, 0))
        write("\r\(line)\(padding)")
        state.width = line.count
      } else {
        let tenth = percent / 10
        guard tenth != state.tenth || label != state.label else { return }
        if tenth % 2 == 0 { write("\(label): \(percent) %\(detail.isEmpty ? "" : ", \(detail)")\n") }
        (state.tenth, state.label) = (tenth, label)
      }
    }
  }

  /// Takes the progress line away.
  func clear() {
    state.withLock { state in
      if isTerminal, state.width > 0 { write("\r" + String(repeating: " ", count: state.width) + "\r") }
      state.width = 0
      state.tenth = -1
    }
  }

  /// Says something on standard error.
  func say(_ text: String) {
    clear()
    write(text + "\n")
  }

  /// Prints a result on standard output.
  func show(_ text: String) {
    clear()
    try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
  }

  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
