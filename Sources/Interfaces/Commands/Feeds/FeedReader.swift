import Foundation
import MurmurStorage
import Synchronization

/// Reads the input on a thread of its own, and fills the spool: what the spool has no room for is not read.
final class FeedReader: Sendable {
  /// How far it is.
  struct Progress: Sendable {
    var rows: UInt64 = 0
    var sealed = 0
    var leftOut = 0
    /// Rows that are in no message yet.
    var waiting = 0
    /// Whether it has ended, and why, if that was no good end.
    var isOver = false
    var failure: String?
  }

  private let state = Mutex(Progress())
  private let store: FeedStore
  private let teller: FeedTeller
  private let room = DispatchSemaphore(value: 0)
  private let isEnding: @Sendable () -> Bool
  private let spooled: @Sendable () -> Void

  init(
    _ store: FeedStore, _ teller: FeedTeller, isEnding: @escaping @Sendable () -> Bool, spooled: @escaping @Sendable () -> Void
  ) {
    (self.store, self.teller, self.isEnding, self.spooled) = (store, teller, isEnding, spooled)
  }

  private var spool: Spool { store.spool }

  /// How far it is.
  var progress: Progress { state.withLock { $0 } }

  /// The spool may have room again.
  func wake() { room.signal() }

  /// Begins to read.
  func begin(_ packer: FeedPacker, _ lines: FeedLines, follow: String?, key: KeyWatch?) throws {
    let place = spool.state.place
    let followed = try follow.map { try FollowedFile($0, from: place) }
    let first = Work(packer: packer, lines: lines, followed: followed, key: key, place: place)
    let thread = Thread { [self] in
      var work = first
      do {
        try run(&work)
        state.withLock { $0.isOver = true }
      } catch {
        state.withLock { ($0.isOver, $0.failure) = (true, "\(error)") }
      }
    }
    thread.stackSize = 512 << 10
    thread.start()
  }

  /// What the thread works with.
  fileprivate struct Work: Sendable {
    var packer: FeedPacker
    var lines: FeedLines
    var followed: FollowedFile?
    var pipe = PipeSource()
    /// The file with the side key of a restricted stream.
    var key: KeyWatch?
    /// The file that is read; its offset is that of the last row.
    var place: Spool.Place
    var told = 0
  }

  private func run(_ work: inout Work) throws {
    // What was read from a pipe in an earlier life, and is in no message.
    if work.followed == nil {
      work.lines.append(spool.state.rest)
      try drain(&work)
      let pipe = PipeSource.identity
      if !store.goesOn(pipe) { try dropUnfinished(&work) }
      try store.note(pipe: pipe)
    }
    while !isEnding() {
      guard spool.hasRoom else {
        _ = room.wait(timeout: .now() + .milliseconds(100))
        continue
      }
      let patience = patience(work)
      let piece = try work.followed?.read(within: patience) ?? work.pipe.read(within: patience)
      switch piece {
      case .bytes(let bytes):
        if work.followed == nil {
          try spool.append(read: bytes)
        } else if let followed = work.followed {
          work.enter(followed.place)
        }
        work.lines.append(bytes)
        try drain(&work)
      case .nothing: break
      case .moved(let place, let words):
        if let words { teller.problem("\(work.followed?.path ?? "the input"): \(words)") }
        try drain(&work, isOver: true)
        work.lines.restart(at: place.offset)
        work.place = place
        try work.packer.skip(to: place)
      case .end:
        try drain(&work, isOver: true)
        try work.packer.flush()
        return try settle(work)
      }
      if let due = work.packer.due, due <= .now { try work.packer.flush() }
      if let side = work.key?.look(teller) { try work.packer.turn(to: side) }
      try settle(work)
    }
    try work.packer.flush()
    try settle(work)
  }

  /// What an earlier life read of a line that had not ended is no row, nor the beginning of one that another pipe brings.
  private func dropUnfinished(_ work: inout Work) throws {
    let count = work.lines.unfinished
    guard count > 0 else { return }
    // Rows that wait go first, as the spool keeps what is read from the first row on that is in no message.
    try work.packer.flush()
    let end = work.lines.place + UInt64(count)
    work.lines.restart(at: end)
    try work.packer.skip(to: work.at(end))
    state.withLock { $0.leftOut += 1 }
    teller.problem(
      "standard input: \(count) bytes of a line that had not ended when the feeder did are dropped: this is another input")
    try settle(work)
  }

  /// How long to wait for bytes, so that a packet is sealed in time and a signal is seen soon.
  private func patience(_ work: Work) -> Int32 {
    guard let due = work.packer.due else { return 100 }
    let left = ContinuousClock.now.duration(to: due).components
    return Int32(min(max(left.seconds * 1_000 + left.attoseconds / 1_000_000_000_000_000 + 1, 1), 100))
  }

  /// Takes out all rows there are.
  private func drain(_ work: inout Work, isOver: Bool = false) throws {
    while let piece = work.lines.next(isOver: isOver) {
      switch piece {
      case .row(let row):
        try work.packer.take(
          row.text, end: work.at(row.end), format: work.lines.format ?? .csv, columns: work.lines.columns ?? [])
      case .nothing(let end): try work.packer.skip(to: work.at(end))
      case .problem(let words, let end):
        try work.packer.skip(to: work.at(end))
        state.withLock { $0.leftOut += 1 }
        work.told += 1
        if work.told <= 10 { teller.problem("\(work.followed?.path ?? "standard input"), \(words); the row is left out") }
        if work.told == 10 { teller.problem("further rows that are left out are only counted") }
      }
    }
  }

  /// What was sealed is made safe, and told.
  private func settle(_ work: borrowing Work) throws {
    let (rows, sealed, waiting) = (work.packer.sealedRows, work.packer.sealed, work.packer.waiting)
    let isNew = state.withLock { state in
      let isNew = sealed > state.sealed
      (state.rows, state.sealed, state.waiting) = (rows, sealed, waiting)
      return isNew
    }
    guard isNew else { return }
    try spool.sync()
    spooled()
  }
}

extension FeedReader.Work {
  /// A place in the file that is read.
  fileprivate func at(_ offset: UInt64) -> Spool.Place { Spool.Place(offset: offset, file: place.file, device: place.device) }

  /// The file has its number when it is opened.
  fileprivate mutating func enter(_ now: Spool.Place) {
    guard place.file != now.file || place.device != now.device else { return }
    place = now
  }
}
