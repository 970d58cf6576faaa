import Foundation
import MurmurBlocks
import MurmurControl
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurScenario
import MurmurStorage
import MurmurWire
import NIOCore
import NIOPosix

/// What answers at a running peer's control socket.
final class ControlDesk: Sendable {
  let node: Node
  let keys: KeyPair
  let store: Store?
  /// The session as it is handed on.
  let scenario: Scenario
  /// The session's model in its short form.
  let model: String
  /// When the session began, in seconds since 1970.
  let begins: Double
  /// What the peer does with streams.
  let feeds: PeerFeeds?
  /// The thread that waits for the disk, so that neither the peer's own loop nor its training does.
  private let reader = NIOThreadPool(numberOfThreads: 1)
  /// The loop that conversations are on.
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  init(node: Node, keys: KeyPair, store: Store?, scenario: Scenario, model: String, begins: Double, feeds: PeerFeeds? = nil) {
    self.node = node
    self.keys = keys
    self.store = store
    self.scenario = scenario
    self.model = model
    self.begins = begins
    self.feeds = feeds
    reader.start()
  }

  /// Nobody is answered any more.
  func close() {
    reader.shutdownGracefully { _ in }
    group.shutdownGracefully { _ in }
  }

  /// Carries a request out.
  func answer(_ request: ControlRequest, _ line: ControlLine) async throws {
    switch request {
    case .add(let provide): try await add(provide, line)
    case .cat(let path, let timeout): try await cat(path, timeout, line)
    case .pin(let path, let timeout): try await pin(path, timeout, line)
    case .unpin(let path):
      let way = try ControlDesk.path(path)
      let root = way.root
      guard way.names.isEmpty else {
        throw Failure("\(path): only what was pinned by its own CID can be released; `murmur pin list` says what is")
      }
      try await line.answer(ControlAnswer.Pinned(cid: "\(root)", changed: try await node.unpin(root)))
    case .pins: try await line.answer(try await pins())
    case .peers: try await line.answer(try await peers())
    case .find(let text): try await line.answer(try await find(text))
    case .invite(let loopback): try await line.answer(try await invite(loopback))
    case .health: try await line.answer(try await health())
    case .streams:
      let (reports, refused) = feeds?.seen ?? ([], 0)
      guard let seen = try await node.lookAtStation({ ControlAnswer.Streams($0, refused: refused, reports: reports) }) else {
        throw Failure("this session has no sensors: write feeds: {sensors: 1} into the session file, and start its peers anew")
      }
      try await line.answer(seen)
    }
  }

  // MARK: Objects

  /// Bytes of blocks that are handed to the peer at a time.
  private static let batch = 4 << 20

  private func add(_ provide: Bool, _ line: ControlLine) async throws {
    var importer = Importer()
    var blocks: [Block] = []
    var bytes = 0
    while true {
      guard let frame = try await line.next() else { throw Failure("the program that added a file hung up before its end") }
      switch frame {
      case .bytes(let part):
        importer.append(part) { block in
          blocks.append(block)
          bytes += block.bytes.count
        }
        guard bytes >= ControlDesk.batch else { continue }
        try await node.take(blocks)
        (blocks, bytes) = ([], 0)
      case .end:
        let imported = importer.finish { blocks.append($0) }
        try await node.take(blocks)
        try await node.pin(imported.root)
        var added = ControlAnswer.Added(cid: imported.name, bytes: imported.fileBytes)
        if provide { try await self.provide(imported.root, &added) }
        return try await line.answer(added)
      case .request, .answer, .note, .failure: throw Failure("a file's bytes were expected")
      }
    }
  }

  private func provide(_ root: CID, _ added: inout ControlAnswer.Added) async throws {
    var told = 0
    for outcome in try await node.provide(root) { if case .stored(let at, _) = outcome { told = max(told, at) } }
    added.provided = told
    if told == 0 { added.warning = "nobody was told: no peer of the hash tables answers; the peer announces it again later" }
  }

  private func cat(_ text: String, _ timeout: Double, _ line: ControlLine) async throws {
    let root = try await locate(text, timeout, line)
    var exporter = Exporter(root)
    var isFirst = true
    while let needed = exporter.needed {
      guard let block = try await node.block(needed, reading: reader) else {
        throw Failure("block \(needed) was removed while \(root) was read, to make room for others; pin it first, then read it")
      }
      if isFirst { try ControlDesk.refuseDirectory(block) }
      let bytes = try exporter.take(block)
      if isFirst { try await line.note(ControlNote("reading", bytes: exporter.fileBytes)) }
      isFirst = false
      for start in stride(from: 0, to: bytes.count, by: ControlFrame.mostBytes) {
        let part =
          start == 0 && bytes.count <= ControlFrame.mostBytes ? bytes : Array(bytes[start...].prefix(ControlFrame.mostBytes))
        try await line.write(.bytes(part))
      }
    }
    try await line.answer(ControlAnswer.Sent(cid: "\(root)", bytes: exporter.position))
  }

  private func pin(_ text: String, _ timeout: Double, _ line: ControlLine) async throws {
    let root = try await locate(text, timeout, line)
    if let block = try await node.block(root, reading: reader) { try ControlDesk.refuseDirectory(block) }
    let isNew = try await !node.kept().contains { $0.root == root && $0.name == Node.ownersName }
    try await node.pin(root)
    try await line.answer(ControlAnswer.Pinned(cid: "\(root)", changed: isNew))
  }

  /// Follows a path through directories, fetching what is not here, to an object that is here whole.
  private func locate(_ text: String, _ timeout: Double, _ line: ControlLine) async throws -> CID {
    var path = try ControlDesk.path(text)
    let deadline = ContinuousClock.now + .seconds(timeout)
    while true {
      if try await !node.has(path.root) {
        try await line.note(ControlNote("looking for \(path.root)"))
        let left = ContinuousClock.now.duration(to: deadline)
        do { try await node.obtain(path.root, within: .seconds(max(left / .seconds(1), 0.1))) } catch let failure as FetchFailure
        {
          throw Failure(
            "\(path.root) could not be had: \(failure); is a peer that has it connected? See `murmur find \(path.root)`")
        }
      }
      guard !path.names.isEmpty else { return path.root }
      guard let block = try await node.block(path.root, reading: reader) else {
        throw Failure("\(path.root) is gone again; try again")
      }
      path = try path.step(through: block)
    }
  }

  private static func path(_ text: String) throws -> ObjectPath {
    do { return try ObjectPath(parsing: text) } catch {
      throw Failure("\(text): \(error); give a CID such as bafkrei…, or CID/name for a file in a directory")
    }
  }

  /// A directory is named as one, with what is in it.
  private static func refuseDirectory(_ block: Block) throws {
    guard let directory = try? Directory(decoding: block) else { return }
    let names = directory.entries.prefix(8).map(\.name).joined(separator: ", ")
    let more = directory.entries.count > 8 ? " and \(directory.entries.count - 8) more" : ""
    throw Failure("\(block.cid) is a directory (\(names.isEmpty ? "empty" : names + more)); name a file in it: \(block.cid)/NAME")
  }

  private func pins() async throws -> ControlAnswer.Pins {
    ControlAnswer.Pins(
      pins: try await node.kept().map { kept in
        ControlAnswer.Pins.Pin(cid: "\(kept.root)", by: kept.name == Node.ownersName ? "owner" : "session", bytes: kept.bytes)
      })
  }

  // MARK: Peers

  /// How long a peer may take to answer a ping.
  private static let patience = 2.0

  private func peers() async throws -> ControlAnswer.Peers {
    let all = try await node.acquaintances()
    let (node, patience) = (node, ControlDesk.patience)
    let trips = await withTaskGroup(of: (Int, Double?).self) { group in
      for (index, known) in all.enumerated() where known.protocols.contains("/ipfs/ping/1.0.0") {
        group.addTask {
          (
            index,
            await ControlDesk.within(.seconds(patience)) {
              try await node.ping(known.peer, within: .seconds(patience)).seconds * 1_000
            }
          )
        }
      }
      return await group.reduce(into: [Int: Double]()) { trips, trip in trips[trip.0] = trip.1 }
    }
    return ControlAnswer.Peers(
      peers: all.enumerated().map { index, known in
        ControlAnswer.Peers.Peer(
          peer: "\(known.peer)", address: "\(known.address)", agent: known.agent, protocols: known.protocols,
          isOutbound: known.isOutbound, roundTrip: trips[index], connected: known.age.seconds)
      })
  }

  /// What `work` gives, if it does so in time.
  static func within<Value: Sendable>(_ time: Duration, _ work: @escaping @Sendable () async throws -> Value) async -> Value? {
    let (values, giver) = AsyncStream.makeStream(of: Value?.self)
    Task { giver.yield(try? await work()) }
    let alarm = Task {
      try? await Task.sleep(for: time)
      giver.yield(nil)
    }
    defer { alarm.cancel() }
    for await value in values { return value }
    return nil
  }

  private func find(_ text: String) async throws -> ControlAnswer.Found {
    let connected = try await node.acquaintances()
    func place(_ peer: PeerID, _ addresses: [Multiaddr]) -> ControlAnswer.Found.Place {
      let link = connected.first { $0.peer == peer }
      var all = (link.map { $0.isOutbound ? [$0.address.withoutPeer] : [] } ?? [])
      for address in addresses.map(\.withoutPeer) where !all.contains(address) { all.append(address) }
      return ControlAnswer.Found.Place(peer: "\(peer)", addresses: all.map { "\($0)/p2p/\(peer)" }, isConnected: link != nil)
    }
    let peer = PeerID(text)
    if let peer, peer == node.id {
      let own = try await node.snapshot().listening
      return ControlAnswer.Found(kind: "peer", isHere: true, places: [place(peer, own)])
    }
    var known: [Multiaddr] = []
    if let peer { known = try await node.addresses(of: peer) }
    // A name such as Qm… may be a peer's or an object's of the old version; it is a peer's if one of that name is known.
    let object = try? ObjectPath(parsing: text)
    if let peer, !known.isEmpty || connected.contains(where: { $0.peer == peer }) || object == nil {
      let found = try await node.find(peer)
      let places = known.isEmpty && found.isEmpty ? [] : [place(peer, known + found)]
      return ControlAnswer.Found(kind: "peer", isHere: false, places: places)
    }
    guard let root = object?.root else {
      throw Failure("\(text) is neither a peer (12D3Koo…, Qm…) nor an object (bafy…, bafkrei…); copy the whole name")
    }
    let providers = try await node.providers(of: root)
    return ControlAnswer.Found(
      kind: "object", isHere: try await node.has(root), places: providers.map { place($0.peer, $0.addresses) })
  }
}
