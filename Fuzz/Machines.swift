import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurRouting
import MurmurSessions
import MurmurWire

/// Machines that hear anything in any order.
extension Target {
  static let machines: [Target] = [
    Target("pubsub", seeds: { [[0, 1, 0, 2] + [4, 1] + piece(Sample.rpc.encode()), [0, 1, 9, 1, 9, 1]] }) { bytes in
      gossips(bytes)
    },
    Target("table", seeds: { Sample.kademlia.map { [1, 1] + piece($0.encode()) + [2, 1, 0, 0] } }) { bytes in looksUp(bytes) },
    Target("exchange", seeds: { [[1, 0, 0, 1, 2, 1] + piece(Sample.bitswap.encode())] }) { bytes in trades(bytes) },
    Target("session", seeds: { sessionSeeds }) { bytes in learns(bytes) },
    Target("ping", seeds: { [[0, 1, 32, 2, 0, 100, 3, 4], [0, 5, 0, 3, 1, 2, 3]] }) { bytes in pings(bytes) },
    Target("link", seeds: { linkSeeds }) { bytes in listens(bytes) },
    Target("device", seeds: { deviceSeeds }) { bytes in computes(bytes) },
    Target("introductions", seeds: { [[0, 1, 1, 1] + piece([10, 0])] }) { bytes in introduces(bytes) },
  ]

  private static let gossip: PubSub.Settings = {
    // A stand-in for signatures: the first byte says whether it holds.
    let signer = Signing.Signer(sign: { _ in ([1], []) }, verify: { $0.signature.first == 1 })
    var configuration = PubSub.Configuration.guarded(signer)
    configuration.limits.awaiting = 16
    configuration.limits.departed = 16
    configuration.limits.promises = 16
    configuration.limits.topics = 32
    configuration.validatedTopics = [Topic("v")]
    return PubSub.Settings(configuration)
  }()

  private static func gossips(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var machine = PubSub(id: Sample.peer(0), settings: gossip)
    var chance = Chance(seed: 1)
    var now = Instant.origin
    let topics = [Sample.topic, Topic("v"), Topic("")]
    while !draw.isEmpty {
      var effects = Effects<PubSub.Effect>()
      let peer = Sample.peer(Int(draw.byte()))
      let input: PubSub.Input
      switch draw.byte() % 11 {
      case 0: input = .connected(peer, .init(isOutbound: draw.byte() & 1 == 0, host: [draw.byte()]))
      case 1: input = .disconnected(peer)
      case 2: input = .subscribe(topics[draw.below(3)])
      case 3: input = .unsubscribe(topics[draw.below(3)])
      case 5: input = .publish(topics[draw.below(3)], data: draw.piece(most: 64))
      case 6: input = .validated(MessageID(from: peer, seqno: UInt64(draw.byte())), [.accept, .reject, .ignore][draw.below(3)])
      case 7: input = .recorded(peer, draw.piece(most: 64))
      case 8: input = .rated(peer, Double(draw.byte()) - 128)
      case 9:
        now = now + .milliseconds(Double(draw.below(5_000)))
        input = .timerFired(.heartbeat)
      case 10: input = .started
      default:
        guard let rpc = try? RPC.decode(draw.piece()) else { continue }
        input = .received(from: peer, rpc)
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
      let (held, judged) = (machine.holdings, machine.judgements)
      precondition(held.neighbors <= 8 && held.topics <= 35 && held.promises <= 16)
      precondition(judged.awaiting <= 16 && judged.ratings <= 24 && judged.forgeries <= 1_024)
    }
  }

  private static func looksUp(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var machine = Kademlia(id: Sample.peer(0), configuration: .murmur(scope: .any))
    var chance = Chance(seed: 1)
    var now = Instant.origin
    var pending: [Kademlia.RequestID] = []
    var number: UInt64 = 0
    while !draw.isEmpty {
      var effects = Effects<Kademlia.Effect>()
      let peer = Sample.peer(Int(draw.byte()))
      let request = pending.isEmpty ? nil : pending[draw.below(pending.count)]
      number += 1
      let input: Kademlia.Input
      switch draw.byte() % 10 {
      case 0: input = .started
      case 1:
        guard let message = try? KademliaMessage.decode(draw.piece()) else { continue }
        input = .asked(Kademlia.RequestToken(number), from: peer, message)
      case 2: input = .identified(Contact(peer, [Sample.address]), isServer: draw.byte() & 3 != 0)
      case 3:
        guard let request, let message = try? KademliaMessage.decode(draw.piece()) else { continue }
        input = .answered(request, message)
      case 4:
        guard let request else { continue }
        input = .failed(request, [.unreachable, .timedOut, .unsupported, .broken][draw.below(4)])
      case 5:
        guard let request else { continue }
        input = .delivered(request)
      case 6:
        let key = Key(draw.piece(most: 100))
        input = .query(
          Kademlia.QueryID(number),
          [.findPeer(peer), .findProviders(key, count: 3), .provide(key), .get(key)][draw.below(4)])
      case 7: input = .cancelled(Kademlia.QueryID(UInt64(draw.below(Int(number)))))
      case 8:
        now = now + .milliseconds(Double(draw.below(60_000)))
        input = .timerFired([.deadline, .refresh, .republish, .sweep, .retry][draw.below(5)])
      default: input = .modeChanged(draw.byte() & 1 == 0 ? .server : .client)
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
      for case .request(let id, _, _, _) in effects.list { pending.append(id) }
      pending = Array(pending.suffix(64))
      precondition(machine.holdings.requests <= 600 && machine.holdings.searches <= 600 && machine.tableCount <= 8)
    }
  }

  private static func trades(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var machine = Exchange(store: BlockStore(budget: 1 << 20))
    var chance = Chance(seed: 1)
    var now = Instant.origin
    let root = Sample.object.root
    while !draw.isEmpty {
      var effects = Effects<Exchange.Effect>()
      let peer = Sample.peer(Int(draw.byte()))
      let input: Exchange.Input
      switch draw.byte() % 9 {
      case 0: input = .connected(peer)
      case 1:
        let byte = draw.byte()
        input = .want(
          root: root, providers: [peer], deadline: byte & 1 == 0 ? nil : now + .seconds(5),
          mostBytes: byte & 2 == 0 ? .max : 16 * Int(byte))
      case 2:
        guard let message = try? BitswapMessage.decode(draw.piece()) else { continue }
        input = .received(from: peer, message)
      case 3:
        // A block of the object, as an honest peer would send it.
        let block = Sample.object.blocks[draw.below(Sample.object.blocks.count)]
        input = .received(from: peer, BitswapMessage(blocks: [block]))
      case 4: input = .disconnected(peer)
      case 5: input = .cancel(root)
      case 6:
        now = now + .milliseconds(Double(draw.below(10_000)))
        input = .timerFired(draw.byte() & 1 == 0 ? .patience : .service)
      case 7:
        let piece = Object.build(draw.piece(most: 600), chunk: 200)
        machine.store.put(piece)
        input = .added(piece.root)
      default: input = .want(root: CID(codec: .dagPB, hashing: [draw.byte()]), providers: [], deadline: now + .seconds(1))
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
      precondition(machine.contradictions.isEmpty, "\(machine.contradictions)")
    }
  }

  private static var sessionSeeds: [[UInt8]] {
    let sealed = SealedAnnouncement(Sample.announcement, signature: [1])
    let told = piece(CollectiveMessage.sealed([sealed], wantsReply: true).encode())
    let notices = [Notice.model(Sample.announcement), .hashlist(Sample.cid, slices: 3), .used(Sample.cid)]
    return [[1, 0, 0, 1, 0] + told + [0, 3, 0, 0, 0, 2, 2]] + notices.map { [1, 1] + piece($0.encode()) + [2, 3, 0, 0] }
  }

  /// A peer of a session, to whom anything is said and everything is given that it asks for.
  private static func learns(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var session = Session()
    session.model = "4-3-2"
    session.privacy = draw.byte() & 1 == 0
    session.slices.perHashlist = 4
    guard let architecture = try? Architecture(parsing: session.model) else { return }
    let samples = Samples(features: [1, 2, 3, 4, 5, 6, 7, 8], width: 4, labels: [0, 1], classes: 2)
    var machine = Collective(
      id: Sample.peer(0), session: session, architecture: architecture, role: .full,
      rows: Work.Rows(samples: samples, training: [0], validation: [1]), start: architecture.initialParameters(seed: 1))
    let sealer = Sealing.Sealer(sign: { _ in [1] }, verify: { signature, _, _ in signature.first == 1 })
    if draw.byte() & 1 == 0 { machine.sealing = .strict(sealer) }
    var chance = Chance(seed: 1)
    var now = Instant.origin
    var wanted: [CID] = []
    var jobs: [Work] = []
    var input = Collective.Input.began
    var isOver = false
    while !isOver {
      var effects = Effects<Collective.Effect>()
      machine.step(input, at: now, chance: &chance, effects: &effects)
      precondition(machine.known <= 48 && machine.sharedSlices.count <= 4)
      for effect in effects.list {
        switch effect {
        case .fetch(let root, _, _): wanted = Array((wanted + [root]).suffix(16))
        case .compute(let work): jobs.append(work)
        case .say, .publish, .store, .keep, .release, .arm, .note: break
        }
      }
      isOver = draw.isEmpty
      let peer = Sample.peer(Int(draw.byte()))
      let root = wanted.isEmpty ? Sample.cid : wanted[draw.below(wanted.count)]
      switch draw.byte() % 6 {
      case 0:
        guard let message = try? CollectiveMessage.decode(draw.piece()) else { continue }
        input = .heard(from: peer, message)
      case 1:
        guard let notice = try? Notice.decode(draw.piece()) else { continue }
        input = .noticed(notice, from: peer)
      case 2: input = .fetched(root: root, bytes: draw.piece())
      case 3:
        now = now + .milliseconds(Double(draw.below(60_000)))
        input = .fired([.cycle, .answers, .models][draw.below(3)])
      case 4: input = jobs.isEmpty ? .met(peer) : .worked(jobs.removeFirst().run(on: Workbench()))
      default: input = .notFetched(root: root, reason: "fuzz")
      }
    }
  }

  private static func introduces(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    let own = Identify.Own(
      protocols: ["/a"], addresses: [Sample.address], signedRecord: nil, publicKey: Sample.keys[0].publicKey.encoded,
      agentVersion: "fuzz")
    var machine = Identify(own, configuration: Identify.Configuration())
    var chance = Chance(seed: 1)
    var now = Instant.origin
    while !draw.isEmpty {
      var effects = Effects<Identify.Effect>()
      let connection = Identify.ConnectionID(UInt64(draw.byte() % 8))
      let input: Identify.Input
      switch draw.byte() % 7 {
      case 0:
        input = .connected(
          connection, Sample.peer(Int(connection.number)), remote: Sample.address, isOutbound: draw.byte() & 1 == 0)
      case 1, 2:
        guard let message = try? IdentifyMessage.decode(draw.piece()) else { continue }
        input = draw.byte() & 1 == 0 ? .answered(connection, [message]) : .pushed(connection, [message])
      case 3: input = .failed(connection, "fuzz")
      case 4: input = .asked(connection, Identify.Request(UInt64(draw.byte())))
      case 5: input = .disconnected(connection)
      default:
        now = now + .milliseconds(Double(draw.below(20_000)))
        input = .timerFired(.deadline)
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
    }
  }
}
