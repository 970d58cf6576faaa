import Foundation
import MurmurMachines
import MurmurStorage
import MurmurWire
import Testing

/// A feeder's spool, and what a kill or a loss of power leaves of it.
@Suite struct SpoolTests {
  static func message(_ number: Int, bytes: Int = 30) -> Spool.Message {
    let content = randomBytes(bytes, seed: UInt64(number))
    return Spool.Message(tag: [UInt8](repeating: UInt8(number & 255), count: 32), name: .sha256(of: content), content: content)
  }

  /// Opens a spool. A program that another test is about to start has for a moment all that this process has open, locks too.
  static func open(_ path: String, _ options: Spool.Options = Spool.Options()) throws -> Spool {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      do { return try Spool(at: path, options: options) } catch {
        guard case .inUse = error.cause, ContinuousClock.now < deadline else { throw error }
      }
    }
  }

  /// All that can be seen of a spool.
  struct Seen: Equatable {
    var state: Spool.State
    var numbers: Range<Int>
    var messages: [Spool.Message?]

    init(_ spool: Spool) throws {
      state = spool.state
      numbers = spool.numbers
      messages = try spool.numbers.map { try spool.message($0) }
    }
  }

  static func act(_ number: Int, on spool: Spool) throws {
    switch number % 5 {
    case 0: try spool.append(read: Array("row \(number)\nrow".utf8))
    case 1:
      try spool.append(
        message(number), position: UInt64(number), rows: UInt64(number) * 50, place: .init(offset: UInt64(number) * 4))
    case 2:
      try spool.append(
        message(number), position: UInt64(number), rows: UInt64(number) * 50, place: .init(offset: UInt64(number) * 4))
    case 3: try spool.forget(upTo: number / 4)
    default:
      number % 2 == 0 ? try spool.note(Array("note \(number)".utf8)) : try spool.move(to: .init(offset: UInt64(number) * 4 + 1))
    }
  }

  @Test func `what was appended is there after the end of the process, in order, and what was forgotten is not`() throws {
    let folder = try Folder("spool-order")
    var options = Spool.Options()
    options.fileBytes = 1_000
    var seen: Seen
    do {
      let spool = try Self.open(folder.path, options)
      for number in 0..<200 { try Self.act(number, on: spool) }
      seen = try Seen(spool)
      #expect(seen.numbers == 49..<80 && seen.state.position == 197 && seen.state.rows == 197 * 50)
      #expect(throws: StoreError.self) { try Spool(at: folder.path) }
    }
    for _ in 0..<3 {
      let spool = try Self.open(folder.path, options)
      #expect(try Seen(spool) == seen && spool.cutOff == 0)
      try spool.append(Self.message(999), position: 999, rows: 9, place: .init(offset: 5))
      seen = try Seen(spool)
    }
  }

  @Test func `a spool torn at any byte is what it was after the last whole record`() throws {
    let (folder, copy) = (try Folder("spool-torn"), try Folder("spool-torn-copy"))
    var stages: [(size: Int, seen: Seen)] = []
    let file = folder.path + "/spool-000000000001"
    do {
      let spool = try Self.open(folder.path)
      stages.append((SystemFiles().size(of: file) ?? 0, try Seen(spool)))
      for number in 0..<12 {
        try Self.act(number, on: spool)
        stages.append((SystemFiles().size(of: file) ?? 0, try Seen(spool)))
      }
      try spool.close()
    }
    let whole = try #require(try SystemFiles().read(file, limit: 1 << 20))
    let torn = copy.path + "/spool-000000000001"
    for length in stages[0].size...whole.count {
      for isGarbled in [false, true] {
        var bytes = Array(whole.prefix(length))
        let expected = try #require(stages.last { $0.size <= length })
        // What the disk made room for and never wrote may be anything.
        if isGarbled { bytes += [UInt8](repeating: 0xa5, count: 40) }
        try SystemFiles().write(bytes, to: torn, sync: false)
        let spool = try Self.open(copy.path)
        #expect(try Seen(spool) == expected.seen, "\(length) bytes")
        #expect(spool.cutOff == bytes.count - expected.size, "\(length) bytes")
        guard length % 7 == 0 else { continue }
        try spool.append(Self.message(5), position: 1, rows: 1, place: .init())
        try spool.close()
      }
    }
    // A file that does not even have its beginning had not been begun.
    try SystemFiles().write(Array(whole.prefix(stages[0].size - 1)), to: torn, sync: false)
    #expect(try Self.open(copy.path).numbers.isEmpty)
  }

  /// Whatever was told to be safe is there after a loss of power, which leaves of the last file what was synced and any part of what was not.
  @Test func `what is safe to send survives a loss of power at any time`() throws {
    let seed = Effort.seed
    var chance = Chance(seed: seed)
    let (folder, copy) = (try Folder("spool-power"), try Folder("spool-power-copy"))
    var options = Spool.Options()
    options.fileBytes = 1_500
    let spool = try Self.open(folder.path, options)
    // Bytes of each file that are on the disk for sure.
    var synced: [String: Int] = [:]
    func names() throws -> [String] { try SystemFiles().names(in: folder.path).filter { $0.hasPrefix("spool-0") }.sorted() }
    var (number, unsafe) = (0, 0)
    for _ in 0..<150 {
      if chance.happens(0.3) {
        try spool.sync()
        #expect(spool.safe == spool.numbers)
        for name in try names() { synced[name] = SystemFiles().size(of: folder.path + "/" + name) }
      } else if chance.happens(0.2) {
        try spool.forget(upTo: spool.safe.lowerBound + chance.below(spool.safe.count + 1))
      } else {
        try spool.append(Self.message(number), position: UInt64(number), rows: 0, place: .init(offset: UInt64(number)))
        number += 1
      }
      let safe = spool.safe
      unsafe = max(unsafe, spool.numbers.count - safe.count)
      try? FileManager.default.removeItem(atPath: copy.path)
      try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
      let all = try names()
      for (place, name) in all.enumerated() {
        let bytes = try #require(try SystemFiles().read(folder.path + "/" + name, limit: 1 << 20))
        let least = synced[name] ?? 0
        // A file that another one follows was synced at its end.
        let kept = place < all.count - 1 ? bytes.count : least + chance.below(bytes.count - least + 1)
        try SystemFiles().write(Array(bytes.prefix(kept)), to: copy.path + "/" + name, sync: false)
      }
      let next = try Self.open(copy.path, options)
      #expect(next.numbers.upperBound >= safe.upperBound, "seed \(seed): \(next.numbers) of \(safe)")
      for number in safe { #expect(try next.message(number) == spool.message(number), "seed \(seed), message \(number)") }
      #expect(next.safe == next.numbers, "what a new life finds it may send")
    }
    #expect(unsafe > 2)
  }

  @Test func `a changed bit ends the log there, and is damage in a file that others follow`() throws {
    let folder = try Folder("spool-bits")
    var options = Spool.Options()
    options.fileBytes = 400
    do {
      let spool = try Self.open(folder.path, options)
      for number in 0..<20 { try spool.append(Self.message(number), position: UInt64(number), rows: 0, place: .init()) }
    }
    let names = try SystemFiles().names(in: folder.path).filter { $0.hasPrefix("spool-0") }
    #expect(names.count > 3)
    for (index, name) in names.enumerated() {
      let path = folder.path + "/" + name
      let bytes = try #require(try SystemFiles().read(path, limit: 1 << 20))
      var changed = bytes
      changed[bytes.count - 20] ^= 1
      try SystemFiles().write(changed, to: path, sync: false)
      if index < names.count - 1 {
        #expect(throws: StoreError.self) { try Self.open(folder.path, options) }
      } else {
        #expect(try Self.open(folder.path, options).numbers.count == 19)
      }
      try SystemFiles().write(bytes, to: path, sync: false)
    }
    #expect(try Self.open(folder.path, options).numbers.count == 20)
  }

  @Test func `what was read from a pipe and is in no message stays`() throws {
    let folder = try Folder("spool-pipe")
    do {
      let spool = try Self.open(folder.path)
      try spool.append(read: Array("a,b\n1,2\n3".utf8))
      try spool.move(to: .init(offset: 4))
      #expect(spool.state.rest == Array("1,2\n3".utf8))
      try spool.append(read: Array(",4\n5".utf8))
      try spool.append(Self.message(1), position: 1, rows: 1, place: .init(offset: 8))
    }
    let spool = try Self.open(folder.path)
    #expect(spool.state.rest == Array("3,4\n5".utf8) && spool.state.place.offset == 8 && spool.state.rows == 1)
  }

  @Test func `it says when it is full, and files of what was forgotten go`() throws {
    let folder = try Folder("spool-full")
    var options = Spool.Options()
    (options.fileBytes, options.limit) = (10_000, 100_000)
    let spool = try Self.open(folder.path, options)
    var number = 0
    while spool.hasRoom {
      try spool.append(Self.message(number, bytes: 1_000), position: UInt64(number), rows: 0, place: .init())
      number += 1
    }
    #expect(number > 90 && number < 100)
    for _ in 0..<1_000 {
      try spool.forget(upTo: spool.numbers.lowerBound + 1)
      try spool.append(Self.message(number, bytes: 1_000), position: UInt64(number), rows: 0, place: .init())
      number += 1
    }
    #expect(try SystemFiles().names(in: folder.path).count < 16)
    try spool.forget(upTo: number)
    #expect(spool.bytes == 0 && spool.numbers.isEmpty)
    try spool.close()
    #expect(throws: StoreError.self) { try spool.note([]) }
  }

  @Test func `random bytes for a spool are refused or cut off, never a crash`() throws {
    let folder = try Folder("spool-fuzz")
    let seed = Effort.seed
    var chance = Chance(seed: seed)
    let file = folder.path + "/spool-000000000001"
    do {
      let spool = try Self.open(folder.path)
      for number in 0..<10 { try Self.act(number, on: spool) }
    }
    let whole = try #require(try SystemFiles().read(file, limit: 1 << 20))
    for _ in 0..<min(Effort.inputs / 40, 5_000) {
      var bytes = whole
      for _ in 0...chance.below(3) {
        switch chance.below(3) {
        case 0: bytes[chance.below(bytes.count)] ^= 1 << UInt8(chance.below(8))
        case 1: bytes = Array(bytes.prefix(1 + chance.below(bytes.count)))
        default: bytes.insert(UInt8(chance.below(256)), at: chance.below(bytes.count))
        }
      }
      try SystemFiles().write(bytes, to: file, sync: false)
      guard let spool = try? Self.open(folder.path) else { continue }
      _ = try? Seen(spool)
    }
  }
}
