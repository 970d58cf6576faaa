import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurMachines
import MurmurPeer
import MurmurScenario
import MurmurSessions
import MurmurWire

/// Looks at a world from outside, at set instants; the peers never notice.
struct Observer {
  private let setup: Setup
  private var chance: Chance
  private var pending: [(sample: Experiment.Sample, tickets: [Ticket<Double>], isLate: [Bool])] = []
  private var done: [Experiment.Sample] = []
  private var last = Tally()
  private var lastTime = Instant.origin
  /// How many samples may wait for their evaluations.
  static let backlog = 4
  /// How many chunks the resilience index looks at, up to a hundred peers.
  static let chunkLimit = 64

  init(_ setup: Setup) {
    self.setup = setup
    chance = setup.chance.fork("observer")
  }

  /// Takes a sample; returns the latest that is complete.
  mutating func observe(_ world: inout World) -> Experiment.Sample? {
    var sample = Experiment.Sample()
    sample.time = world.now.seconds
    sample.online = world.nodes.indices.count {
      world.nodes[$0].isStarted && world.nodes[$0].isAlive && world.conditions.isOnline[$0]
    }
    sample.resilience = resilience(world)
    let total = world.sum
    let cycles = max((world.now - lastTime).seconds / setup.session.cycle.seconds, 1e-9)
    sample.training = Double(total.trained - last.trained) / cycles
    sample.averaging = Double(total.attempts - last.attempts) / cycles
    sample.total = total
    sample.bytes = Statistics(world.nodes.compactMap { $0.isStarted ? Double($0.tally.bytesSent) : nil })
    (last, lastTime) = (total, world.now)
    var watched = world.nodes.indices.filter { world.nodes[$0].isStarted && world.nodes[$0].peer.collective.role != .feeder }
    if let limit = setup.scenario.observe.peers, watched.count > limit { watched = chance.pick(limit, from: watched).sorted() }
    let (samples, curve, architecture) = (setup.samples, setup.curve, setup.architecture)
    let batch = setup.session.training.batch
    let tickets = watched.map { number in
      let parameters = world.nodes[number].peer.collective.parameters
      return world.pool.submit { bench in
        bench.trainer(for: architecture, batch: batch).evaluate(parameters, on: samples, rows: curve).accuracy
      }
    }
    pending.append((sample, tickets, watched.map { world.nodes[$0].joined > .origin }))
    if pending.count > Observer.backlog { settle(&world) }
    return done.last
  }

  private mutating func settle(_ world: inout World) {
    var (sample, tickets, isLate) = pending.removeFirst()
    let accuracies = tickets.map { world.pool.wait(for: $0, bench: world.bench) }
    sample.accuracy = Statistics(accuracies)
    sample.late = Statistics(zip(accuracies, isLate).filter(\.1).map(\.0))
    done.append(sample)
  }

  /// All samples, complete.
  mutating func finish(_ world: inout World) -> [Experiment.Sample] {
    while !pending.isEmpty { settle(&world) }
    return done
  }

  /// From how many other peers each peer's newest model can be fetched (LEARNAE's resilience index), over at most
  /// ``chunkLimit`` models.
  private mutating func resilience(_ world: World) -> Statistics {
    var roots: [(owner: Int, root: CID)] = []
    for (number, node) in world.nodes.enumerated() where node.isStarted {
      if let root = node.peer.collective.newest?.root { roots.append((number, root)) }
      roots += node.peer.collective.sharedSlices.map { (number, $0) }
    }
    // The work is chunks × peers; with thousands of peers a few chunks tell as much.
    let limit = max(Observer.chunkLimit * 100 / max(world.nodes.count, 100), 4)
    if roots.count > limit { roots = chance.pick(limit, from: roots) }
    return Statistics(
      roots.map { owner, root in
        var holders = 0
        for number in world.nodes.indices where number != owner && world.nodes[number].holds(root) { holders += 1 }
        return Double(holders)
      })
  }
}
