import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import MurmurStorage
import MurmurWire

/// Everything that a real peer's life follows from, but its key, its rows and what happens to it: what a recording begins with.
struct LifeOrigin: Sendable {
  var scenario: Scenario
  var number: Int
  var role: Session.Role
  var inheritance: Inheritance

  /// The peer as it is before it starts; `seed` is of the chance that its streams are forked from.
  func peer(_ setup: Setup, _ keys: KeyPair, seed: UInt64, _ console: Console) throws -> Peer {
    let chance = Chance(seed: seed)
    let start = setup.session.initialModel.map { setup.architecture.initialParameters(seed: $0) }
    var collective = Collective(
      id: keys.peerID, session: setup.session, architecture: setup.architecture, role: role, rows: setup.rows[number],
      start: start ?? setup.architecture.initialParameters(seed: chance.fork("initial model").seed))
    collective.sealing = .strict(Sealing.Sealer(keys))
    if let model = inheritance.model {
      // A model that cannot be read any more is no reason not to begin: it is said, and learning begins anew.
      do {
        let parameters = try ModelFile(model.file, setup.architecture).parameters(setup.architecture)
        collective.resume(model: model.root, parameters: parameters, cycle: model.cycle)
        if !model.optimizer.isEmpty { try collective.restore(optimizerState: model.optimizer) }
      } catch { console.say("the model of cycle \(model.cycle), \(model.root), cannot be gone on from: \(error)") }
    }
    var exchange = Exchange(store: inheritance.blockStore, limits: .host)
    exchange.restore(inheritance.credits, at: .origin)
    var gossip = PubSub.Configuration.guarded(Signing.Signer(keys))
    if setup.field != nil { Setup.carry(setup.session, &gossip) }
    let pubsub = PubSub(id: keys.peerID, settings: PubSub.Settings(gossip))
    return Peer(collective: collective, exchange: exchange, pubsub: pubsub, chance: chance, servesTopics: true)
  }

  /// What a store has for a peer of this session.
  static func inheritance(
    _ setup: Setup, _ store: Store?, _ state: SessionState?, takesMore: Bool, _ console: Console
  ) throws -> Inheritance {
    let modelBytes = setup.architecture.parameterCount * 4 + 4096
    // What an owner adds to a peer without a store has to find room beside the session.
    let added = store == nil && takesMore ? 256 << 20 : 0
    let room = modelBytes * 26 + (setup.session.privacy ? 1 << 20 : 256 << 20) + added
    guard let store else { return Inheritance(budget: room) }
    var inheritance = Inheritance(budget: store.options.limit, memory: room)
    inheritance.belongings = try store.belongings()
    inheritance.credits = try store.credits(limit: 1_024)
    guard let state, let root = state.model else { return inheritance }
    do {
      let file = try file(root, in: store, most: setup.architecture.parameterCount * 4 + SafeTensors.headerLimit + 8)
      inheritance.model = Inheritance.Model(root: root, file: file, cycle: state.cycle, optimizer: state.optimizer)
    } catch { console.say("the model of cycle \(state.cycle), \(root), cannot be gone on from: \(error)") }
    return inheritance
  }

  /// A file in the store, however many blocks it has.
  private static func file(_ root: CID, in store: Store, most: Int) throws -> [UInt8] {
    var exporter = Exporter(root)
    var file: [UInt8] = []
    while let cid = exporter.needed {
      guard let block = try store.get(cid) else { throw Failure("block \(cid) is not in \(store.path)") }
      file += try exporter.take(block)
      guard file.count <= most else { throw Failure("the file has more than \(most) bytes, so it is no model of this session") }
    }
    return file
  }

  // MARK: As bytes

  private static let version = 1

  /// The origin as the context of a recording.
  func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.append(number: LifeOrigin.version)
    out.append(text: scenario.yaml)
    out.append(number: number)
    out.append(text: role.rawValue)
    out.append(content: inheritance.encode())
    return out
  }

  /// Reads what ``encode()`` wrote; `file` is named where it cannot be read.
  init(decoding bytes: [UInt8], file: String) throws {
    var reader = ByteReader(bytes, "the origin of a recorded peer")
    let version = try reader.number()
    guard version == LifeOrigin.version else {
      throw Failure("\(file): it is of version \(version); this program reads version \(LifeOrigin.version)")
    }
    scenario = try Scenario(bytes: Array(reader.text(1 << 20).utf8), file: "\(file) (its scenario)")
    number = try reader.number(Int(Int32.max))
    guard let role = Session.Role(rawValue: try reader.text(16)) else { throw Failure("\(file): the peer's role is not known") }
    self.role = role
    inheritance = try Inheritance(decoding: reader.content(bytes.count))
    try reader.end()
    guard number < scenario.peers.count else { throw Failure("\(file): the scenario has no peer \(number)") }
  }

  init(scenario: Scenario, number: Int, role: Session.Role, inheritance: Inheritance) {
    self.scenario = scenario
    self.number = number
    self.role = role
    self.inheritance = inheritance
  }
}

/// The identities of a scenario's peers on real sockets, which everybody who has the scenario can work out. They protect nothing; peers with
/// a store have identities of their own.
enum SwarmKeys {
  static func pair(_ seed: UInt64, _ number: Int) -> KeyPair {
    KeyPair(seed: .sha256(of: Array("murmur swarm \(seed) \(number)".utf8)))
  }
}
