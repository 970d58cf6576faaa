import MurmurBlocks
public import MurmurCollective
import MurmurCompute
public import MurmurMachines
public import MurmurPeer
public import MurmurScenario
import MurmurSessions

/// Faults as a world acts them out.
extension World {
  mutating func apply(_ change: FaultEvent.Change) {
    if let peer = change.peer, peer < nodes.count { settle(peer) }
    conditions.apply(change)
    trace.mix(now, 6, change.peer.map { UInt64($0) } ?? UInt64(UInt32.max), 0)
    switch change {
    // Sensors are numbered after the peers.
    case .crashed(let peer, _, _) where peer >= nodes.count: act(on: peer - nodes.count, isAlive: false)
    case .restarted(let peer) where peer >= nodes.count: act(on: peer - nodes.count, isAlive: true)
    case .wentOffline(let peer) where peer >= nodes.count, .cameOnline(let peer) where peer >= nodes.count: break
    case .wentOffline(let peer):
      nodes[peer].onlineTime =
        nodes[peer].onlineTime + (nodes[peer].isStarted && nodes[peer].isAlive ? now - nodes[peer].onlineSince : .zero)
    case .cameOnline(let peer): nodes[peer].onlineSince = now
    case .crashed(let peer, let memory, let disk): crash(peer, memory, disk)
    case .restarted(let peer): restart(peer)
    case .began(let fault): witness?(now, -1, .fault("begins: \(describe(fault))"))
    case .ended(let fault): witness?(now, -1, .fault("ends: \(describe(fault))"))
    }
  }

  private func describe(_ fault: Int) -> String { plan.faults[fault].summary }

  /// The peer stops. What is on its way to it is lost; what it was computing is lost with its memory.
  private mutating func crash(_ peer: Int, _ memory: Fault.Crash.Memory, _ disk: Fault.Crash.Disk) {
    guard nodes[peer].isStarted, nodes[peer].isAlive else { return }
    witness?(now, peer, .fault("crashed, memory \(memory.rawValue), disk \(disk.rawValue)"))
    if conditions.isOnline[peer] { nodes[peer].onlineTime = nodes[peer].onlineTime + (now - nodes[peer].onlineSince) }
    nodes[peer].isAlive = false
    nodes[peer].uplink.clear(at: now)
    nodes[peer].asleep = memory == .kept
    for neighbour in network.neighbours[peer] where nodes[Int(neighbour)].isStarted && nodes[Int(neighbour)].isAlive {
      step(Int(neighbour), .disconnected(nodes[peer].peer.id))
    }
    guard memory == .lost else { return crashStation(peer, losesMemory: false, losesDisk: false) }
    nodes[peer].life += 1
    nodes[peer].timers = []
    var reborn = birth(peer, nodes[peer].life)
    switch disk {
    case .kept: reborn.restore(from: nodes[peer].peer, torn: false)
    case .torn: reborn.restore(from: nodes[peer].peer, torn: true)
    case .lost: break
    }
    nodes[peer].peer = reborn
    crashStation(peer, losesMemory: true, losesDisk: disk == .lost)
  }

  private mutating func restart(_ peer: Int) {
    guard nodes[peer].isStarted, !nodes[peer].isAlive else { return }
    witness?(now, peer, .fault("started again"))
    guard nodes[peer].asleep else { return start(peer) }
    // A device that slept goes on where it was: timers that were due meanwhile fire now.
    nodes[peer].isAlive = true
    nodes[peer].onlineSince = now
    for index in nodes[peer].timers.indices where nodes[peer].timers[index].at <= now {
      nodes[peer].timers[index].at = now
      queue.schedule(.timer(Int32(peer), nodes[peer].timers[index].timer, life: Int32(nodes[peer].life)), at: now)
    }
    for late in nodes[peer].late { step(peer, .worked(late)) }
    nodes[peer].late = []
    wakeStation(peer)
  }
}

extension FaultEvent.Change {
  /// Whom it concerns, where it concerns one peer.
  var peer: Int? {
    switch self {
    case .wentOffline(let peer), .cameOnline(let peer), .crashed(let peer, _, _), .restarted(let peer): peer
    case .began, .ended: nil
    }
  }
}

extension Fault.Liars.Lie {
  /// What a liar makes of its own result: its model stays as it is, what it shows to others does not. What it invents is drawn from `chance`.
  public func told(_ result: WorkResult, by peer: borrowing Peer, chance: Chance) -> WorkResult {
    var told = result
    let session = peer.collective.session
    let architecture = peer.collective.architecture
    var shown = result.parameters
    switch self {
    case .inflate:
      told.evaluation.correct = told.evaluation.count
      told.evaluation.lossSum = 0
      return told
    case .noise:
      var lie = chance.fork("lie", result.parameters.count)
      let seed = lie.next() ^ UInt64(bitPattern: Int64(peer.collective.cycle))
      shown = architecture.initialParameters(seed: seed)
      shown.scale(by: 10)
    case .zero: shown.scale(by: 0)
    case .flip: shown.scale(by: -1)
    }
    guard result.object != nil else { return told }
    told.object = Object.build(
      SafeTensors.encode(shown, architecture, metadata: ["session": session.name, "peer": "\(peer.id)"]))
    return told
  }
}
