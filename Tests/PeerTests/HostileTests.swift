import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurSessions
import MurmurWire
import Testing

/// What others announce is fetched within bounds, and what they sign is passed on.
@Suite struct HostileTests {
  /// A peer by hand that knows one other, and what it wanted done.
  private struct Lone {
    var peer: Peer
    var now = Instant.origin
    var chance = Chance(seed: 1)
    let other = PeerID(simulated: 1)
    private var jobs: [Work] = []

    init(store: BlockStore = BlockStore(), pubsub: PubSub.Configuration = PubSub.Configuration()) throws {
      var session = Session()
      session.model = "4-3"
      session.length = .minutes(600)
      let architecture = try Architecture(parsing: session.model)
      let samples = Samples(
        features: (0..<40).map { Float($0 % 7) }, width: 4, labels: (0..<10).map { Int32($0 % 3) }, classes: 3)
      let id = PeerID(simulated: 0)
      let collective = Collective(
        id: id, session: session, architecture: architecture, role: .full,
        rows: Work.Rows(samples: samples, training: Array(0..<8), validation: [8, 9]),
        start: architecture.initialParameters(seed: 1))
      peer = Peer(
        collective: collective, exchange: Exchange(store: store), pubsub: PubSub(id: id, settings: .init(pubsub)),
        chance: Chance(seed: 1), servesTopics: true)
      _ = give(.started)
      _ = give(.connected(other))
    }

    mutating func give(_ input: Peer.Input) -> [Peer.Effect] {
      var effects = Effects<Peer.Effect>()
      now = now + .milliseconds(1)
      peer.step(input, at: now, chance: &chance, effects: &effects)
      for case .compute(let work) in effects.list { jobs.append(work) }
      return effects.list
    }

    /// A cycle begins, and the other one announces `root`; what is wanted of it then.
    mutating func hear(of root: CID, cycle: UInt32 = 1) -> [CID] {
      now = now + .minutes(10)
      while !jobs.isEmpty { _ = give(.worked(jobs.removeFirst().run(on: Workbench()))) }
      _ = give(.fired(.collective(.cycle)))
      let told = Announcement(peer: other, root: root, cycle: cycle, made: now, accuracy: 1, loss: 0, rows: 10, held: true)
      return wants(give(.received(from: other, .collective(.news([told], wantsReply: false)))))
    }

    func wants(_ effects: [Peer.Effect]) -> [CID] {
      effects.flatMap { effect -> [CID] in
        if case .send(_, .blocks(let message)) = effect { message.wants.filter { $0.kind == .block }.map(\.cid) } else { [] }
      }
    }

    mutating func bring(_ blocks: [Block]) -> [Peer.Effect] {
      give(.received(from: other, .blocks(BitswapMessage(blocks: blocks))))
    }

    func rejected(_ effects: [Peer.Effect]) -> [CID] {
      effects.compactMap { effect in
        if case .note(.rejected(let root, from: other, _)) = effect { root } else { nil }
      }
    }
  }

  @Test func `a model that stands for gigabytes is refused with its root, and never asked for again`() throws {
    for store in [BlockStore(), BlockStore(memory: 1 << 20)] {
      var lone = try Lone(store: store)
      let leaf = Block([UInt8](repeating: 7, count: Block.mostBytes))
      let size = UInt64(leaf.bytes.count)
      let root = DAGNode(links: [DAGNode.Link](repeating: .init(leaf.cid, fileBytes: size, totalBytes: size), count: 2_000))
        .block()
      #expect(lone.hear(of: root.cid) == [root.cid])
      let effects = lone.bring([root])
      #expect(lone.rejected(effects) == [root.cid])
      #expect(!lone.wants(effects).contains(leaf.cid) && lone.peer.exchange.fetching.isEmpty)
      #expect(lone.hear(of: root.cid).isEmpty, "it is known to be no model")
      // Another model of the same peer is tried.
      let next = Block([1, 2, 3])
      #expect(lone.hear(of: next.cid, cycle: 2) == [next.cid])
    }
  }

  @Test func `a model that is larger than it says is fetched no further than a model can be`() throws {
    var lone = try Lone(store: BlockStore(memory: 1 << 20))
    let leaves = (0..<30).map { Block([UInt8](repeating: UInt8($0), count: 100_000)) }
    let many = DAGNode(links: leaves.map { .init($0.cid, fileBytes: 100_000, totalBytes: 100_000) }).block()
    let root = DAGNode(links: [.init(many.cid, fileBytes: 1_000, totalBytes: 1_000)]).block()
    #expect(lone.hear(of: root.cid) == [root.cid])
    #expect(lone.wants(lone.bring([root])) == [many.cid])
    var wanted = lone.wants(lone.bring([many]))
    var given = 0
    var rejected: [CID] = []
    while let cid = wanted.first, let leaf = leaves.first(where: { $0.cid == cid }) {
      wanted.removeFirst()
      given += 1
      let effects = lone.bring([leaf])
      wanted += lone.wants(effects)
      rejected += lone.rejected(effects)
      if !rejected.isEmpty { break }
    }
    #expect(rejected == [root.cid] && given < 16, "\(given) of 30 pieces, where a model has a megabyte at most")
    #expect(lone.peer.exchange.store.pinnedBytes == 0)
  }

  @Test func `a peer's signed record goes with it where it is offered to others`() throws {
    let signer = Signing.Signer(sign: { _ in ([1], []) }, verify: { _ in true })
    var lone = try Lone(pubsub: .guarded(signer))
    let topic = Topic("news")
    _ = lone.give(.asked(.subscribe(topic)))
    func joins(_ number: Int) -> Peer.Input {
      let rpc = RPC(subscriptions: [.init(topic, subscribes: true)], control: .init(graft: [topic]))
      return .received(from: PeerID(simulated: number), .pubsub(rpc))
    }
    let record: [UInt8] = [1, 2, 3]
    let input = Peer.Input.recorded(lone.other, record)
    #expect(try lone.peer.input(decoding: input.encode()).encode() == input.encode())
    _ = lone.give(input)
    #expect(lone.peer.pubsub.record(of: lone.other) == record && lone.peer.pubsub.record(of: PeerID(simulated: 2)) == nil)
    _ = lone.give(joins(1))
    var offered: [RPC.PeerInfo] = []
    for number in 2..<20 {
      let known = Peer.Acquaintance(.all, pubsub: .init(isOutbound: false))
      _ = lone.give(.connected(PeerID(simulated: number), known))
      for case .send(_, .pubsub(let rpc)) in lone.give(joins(number)) { offered += rpc.control.prune.flatMap(\.peers) }
    }
    #expect(offered.contains { $0.id == lone.other && $0.record == record })
    #expect(offered.allSatisfy { $0.record.isEmpty || $0.id == lone.other })
  }
}
