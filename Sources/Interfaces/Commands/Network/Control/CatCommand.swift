import ArgumentParser
import Foundation
import MurmurControl
import Synchronization

/// `murmur cat`: a file out of the network.
struct CatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat", abstract: "Write a file to standard output; the running peer fetches it if it has not got it.",
    discussion: "A path through directories may follow the CID: bafy…/models/best.safetensors.")

  @Argument(help: ArgumentHelp("The file's CID, or CID/path/in/directory.", valueName: "CID"))
  var path: String
  @OptionGroup var options: ControlOptions
  @OptionGroup var patience: Patience

  func run() async throws {
    try await Attempt.run {
      try patience.check()
      signal(SIGPIPE, SIG_IGN)
      let console = Console()
      let progress = TransferProgress(console, isShown: console.isTerminal && isatty(STDOUT_FILENO) == 0)
      do {
        let _: ControlAnswer.Sent = try await options.client().ask(
          .cat(path: path, timeout: patience.timeout), note: { progress.note($0) },
          sink: { bytes in
            try StandardOutput.write(bytes)
            progress.moved(bytes.count)
          })
        console.clear()
      } catch is StandardOutput.Closed {
        // Whoever read has had enough.
        throw ExitCode.success
      }
    }
  }
}

/// What came so far, for a person who waits.
final class TransferProgress: Sendable {
  private let console: Console
  private let isShown: Bool
  private let state = Mutex((label: "reading", whole: UInt64(0), moved: UInt64(0)))

  init(_ console: Console, isShown: Bool) {
    self.console = console
    self.isShown = isShown
  }

  func note(_ note: ControlNote) {
    state.withLock { state in
      state.label = note.doing
      if let bytes = note.bytes { state.whole = bytes }
    }
    moved(0)
  }

  func moved(_ count: Int) {
    let now = state.withLock { state in
      state.moved += UInt64(count)
      return state
    }
    guard isShown else { return }
    let share = now.whole > 0 ? Double(now.moved) / Double(now.whole) : 0
    console.progress(now.label, share, now.moved > 0 ? Amount.bytes(now.moved) : "")
  }
}

/// Standard output for bytes.
enum StandardOutput {
  /// Nobody reads any more.
  struct Closed: Error {}

  static func write(_ bytes: [UInt8]) throws {
    var start = 0
    while start < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Foundation.write(STDOUT_FILENO, $0.baseAddress! + start, $0.count - start)
      }
      if count < 0 {
        switch errno {
        case EINTR, EAGAIN: continue
        case EPIPE: throw Closed()
        case ENOSPC: throw Failure("standard output: no space is left on the disk")
        default: throw unsafe Failure("standard output cannot be written: \(String(cString: strerror(errno)))")
        }
      }
      start += count
    }
  }
}
