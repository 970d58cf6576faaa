import Foundation
import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurSessions
import MurmurStorage
import MurmurWire
import Testing

/// What a peer was told can be told it again, and it does the same again.
@Suite struct RecordingTests {
  @Test(arguments: 0..<4) func `a recorded life, lived again from a file, wants the same at every step`(seed: Int) throws {
    let path =
      FileManager.default.temporaryDirectory.path + "/murmur-recording-\(ProcessInfo.processInfo.processIdentifier)-\(seed)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var world = try SmallWorld(seed: seed)
    let header = Recording.Header(seed: UInt64(seed), peer: world.peers[0].id.bytes, context: [1, 2, 3])
    try world.run(jobs: 12)
    do {
      var writer = try RecordingWriter(path, header)
      for step in world.steps { try writer.append(.init(time: step.time, digest: step.digest, input: step.input)) }
      try writer.flush()
    }
    var file = try RecordingFile(path)
    var replay = Replay(try SmallWorld.peer(0, seed: seed), chance: SmallWorld.chance(seed))
    var wanted = 0
    var kinds: Set<UInt8> = []
    while let entry = try file.next() {
      kinds.insert(entry.input[0])
      wanted += try replay.take(RecordedStep(time: entry.time, input: entry.input, digest: entry.digest)).count
    }
    #expect(file.header == header && !file.isCutOff)
    #expect(replay.steps == world.steps.count && replay.steps > 50)
    #expect(replay.parted == nil, "seed \(seed)")
    #expect(wanted > replay.steps / 2)
    #expect(kinds.isSuperset(of: [0, 1, 3, 4, 5, 6]), "starts, connections, messages, timers, results and the disk: \(kinds)")
    #expect(replay.peer.collective.parameters == world.peers[0].collective.parameters, "the same model to the last bit")
  }

  @Test func `a life from another seed parts, and the step is named`() throws {
    var world = try SmallWorld(seed: 1)
    try world.run(jobs: 6)
    var replay = Replay(try SmallWorld.peer(0, seed: 2), chance: SmallWorld.chance(2))
    for step in world.steps { _ = try replay.take(step) }
    #expect(try #require(replay.parted) < world.steps.count)
  }

  @Test func `inputs mean the same after they were encoded, and garbled ones never trap`() throws {
    var world = try SmallWorld(seed: 3)
    try world.run(jobs: 6)
    let peer = world.peers[0]
    for step in world.steps { #expect(try peer.input(decoding: step.input).encode() == step.input) }
    let inputs = Int(ProcessInfo.processInfo.environment["MURMUR_FUZZ"] ?? "") ?? 20_000
    var chance = Chance(seed: 1)
    var refused = 0
    for _ in 0..<inputs {
      var bytes = world.steps[chance.below(world.steps.count)].input
      for _ in 0...chance.below(3) {
        switch chance.below(3) {
        case 0: if !bytes.isEmpty { bytes[chance.below(bytes.count)] = UInt8(chance.below(256)) }
        case 1: bytes.removeLast(chance.below(bytes.count + 1))
        default: bytes.insert(UInt8(chance.below(256)), at: chance.below(bytes.count + 1))
        }
      }
      if (try? peer.input(decoding: bytes)) == nil { refused += 1 }
    }
    #expect(refused > inputs / 4 && refused < inputs)
  }

  @Test func `a disk keeps a few old models and no more, however long the session`() throws {
    var world = try SmallWorld(seed: 6)
    try world.run(jobs: 600)
    let store = world.peers[0].exchange.store
    #expect(world.peers[0].collective.cycle > 150)
    #expect(store.count <= Peer.spentModels + 8, "seed 6: \(store.count) blocks after \(world.peers[0].collective.cycle) cycles")
    #expect(store.count > Peer.spentModels / 2)
  }

  @Test func `an optimiser's state survives as bytes`() throws {
    var world = try SmallWorld(seed: 4)
    try world.run(jobs: 4)
    let bytes = world.peers[0].collective.optimizerState
    var other = try SmallWorld.peer(0, seed: 4).collective
    #expect(other.optimizerState != bytes)
    try other.restore(optimizerState: bytes)
    #expect(other.optimizerState == bytes)
    #expect(throws: WireError.self) { try other.restore(optimizerState: Array(bytes.dropLast())) }
  }
}

/// Three peers by hand, the first with a disk: messages go through their bytes, as on a host.
private struct SmallWorld {
  var peers: [Peer]
  private(set) var steps: [RecordedStep] = []
  private var digest = EffectsDigest()
  private var chances: [Chance]
  private var now = Instant.origin
  private var jobs = 0
  private var disk: [CID: Block] = [:]
  private var timers: [(at: Instant, peer: Int, timer: Peer.Timer)] = []
  private var queue: [(to: Int, input: Peer.Input)] = []

  init(seed: Int) throws {
    peers = try (0..<3).map { try SmallWorld.peer($0, seed: seed) }
    chances = (0..<3).map { SmallWorld.chance(seed + 100 * $0) }
  }

  static func chance(_ seed: Int) -> Chance { Chance(seed: UInt64(seed)).fork("world") }

  static func peer(_ number: Int, seed: Int) throws -> Peer {
    var session = Session()
    session.model = "4-3"
    session.privacy = seed % 2 == 0
    let architecture = try Architecture(parsing: session.model)
    let samples = Samples(features: (0..<40).map { Float($0 % 7) }, width: 4, labels: (0..<10).map { Int32($0 % 3) }, classes: 3)
    let id = PeerID(simulated: number)
    let collective = Collective(
      id: id, session: session, architecture: architecture, role: .full,
      rows: Work.Rows(samples: samples, training: Array(0..<8), validation: [8, 9]),
      start: architecture.initialParameters(seed: 1))
    let store = number == 0 ? BlockStore(memory: 100) : BlockStore()
    return Peer(
      collective: collective, exchange: Exchange(store: store), pubsub: PubSub(id: id),
      chance: Chance(seed: UInt64(seed * 10 + number)))
  }

  mutating func run(jobs limit: Int) throws {
    for number in peers.indices {
      for other in peers.indices where other != number { try step(number, .connected(peers[other].id)) }
    }
    for number in peers.indices { try step(number, .started) }
    for _ in 0..<20_000 where jobs < limit {
      if !queue.isEmpty {
        let next = queue.removeFirst()
        try step(next.to, next.input)
      } else if let place = timers.indices.min(by: { (timers[$0].at, timers[$0].peer) < (timers[$1].at, timers[$1].peer) }) {
        let next = timers.remove(at: place)
        now = max(now, next.at)
        try step(next.peer, .fired(next.timer))
      }
    }
    #expect(jobs >= limit)
  }

  private mutating func step(_ number: Int, _ input: Peer.Input) throws {
    var effects = Effects<Peer.Effect>()
    now = now + .milliseconds(1)
    if number == 0 {
      steps.append(peers[0].record(input, at: now, chance: &chances[0], digest: &digest, effects: &effects))
    } else {
      peers[number].step(input, at: now, chance: &chances[number], effects: &effects)
    }
    for effect in effects.list {
      switch effect {
      case .send(let id, let message):
        let arrived: Peer.Message =
          switch message {
          case .collective(let inner): .collective(try CollectiveMessage.decode(inner.encode()))
          case .blocks(let inner): .blocks(try BitswapMessage.decode(inner.encode()))
          case .pubsub(let inner): .pubsub(try RPC.decode(inner.encode()))
          }
        let to = try #require(peers.firstIndex { $0.id == id })
        queue.append((to, .received(from: peers[number].id, arrived)))
      case .arm(let timer, let at):
        timers.removeAll { $0.peer == number && $0.timer == timer }
        timers.append((at, number, timer))
      case .compute(let work):
        jobs += 1
        queue.append((number, .worked(work.run(on: Workbench()))))
      case .disk(.store(let block)):
        disk[block.cid] = block
        queue.append((number, .disk(.stored(block.cid))))
      case .disk(.load(let cid)): queue.append((number, .disk(.loaded(cid, disk[cid]))))
      case .disk(.discard(let cid)): disk[cid] = nil
      case .disk, .note, .answer, .disconnect, .connect: break
      }
    }
  }
}
