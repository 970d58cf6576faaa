import ArgumentParser
import Foundation
import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import MurmurStorage

/// `murmur replay`: a real peer's life, lived again.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Live the recorded life of a real peer again, step by step.",
    usage: "murmur replay FILE [--key FILE] [--data TABLE] [--steps FROM-TO] [--out FILE]",
    discussion: """
      `murmur peer --record FILE` writes down everything that a peer is told, with times. Here the same machine is told the same again, \
      without sockets, and wants the same; the first step at which it does not is named, which is where program or rows have changed. \
      --steps shows what happened at those steps and what the peer wanted done. Ends with code 1 if the lives part.
      """)

  @Argument(help: "A recording.") var file: String
  @Option(help: "The peer's identity (STORE/identity.key), if it is not one of a swarm: what it signs is compared too.") var key:
    String?
  @Option(help: "The table of the peer's rows, if it is not where it was.") var data: String?
  @Option(help: "Steps to show, from 0: 120 or 120-140.") var steps: String?
  @Option(help: "Where to put the model that the peer has at the end, as safetensors.") var out: String?

  func run() throws {
    try Attempt.run {
      let console = Console()
      let shown = try range()
      guard FileManager.default.fileExists(atPath: file) else {
        throw Failure("\(file): there is no such recording; `murmur peer --record FILE` writes one")
      }
      var recording = try RecordingFile(file)
      guard var entry = try recording.next(), let header = recording.header else {
        throw Failure("\(file): nothing was recorded in it")
      }
      var origin = try LifeOrigin(decoding: header.context, file: file)
      if let data { origin.scenario.data.set = [data] }
      let setup = try Setup(origin.scenario, try Rows.load(origin.scenario.data, console))
      var replay = Replay(
        try origin.peer(setup, try keys(origin, header), seed: header.seed, console), chance: Chance(seed: header.seed))
      let first = entry.time
      var last = first
      while true {
        let number = replay.steps
        let before = replay.parted
        let effects = try replay.take(RecordedStep(time: entry.time, input: entry.input, digest: entry.digest))
        if shown?.contains(number) == true || (before == nil && replay.parted != nil) {
          console.show(try words(number, entry, effects, replay.peer))
        }
        last = entry.time
        guard let next = try recording.next() else { break }
        entry = next
      }
      try conclude(replay, setup, seconds: (last - first).seconds, isCutOff: recording.isCutOff, console)
    }
  }

  private func keys(_ origin: LifeOrigin, _ header: Recording.Header) throws -> KeyPair {
    let wanted = try PeerID(bytes: header.peer)
    var keys = SwarmKeys.pair(origin.scenario.seed, origin.number)
    if let key {
      guard let kept = try KeyFile(key).load() else { throw Failure("--key \(key): there is no such file") }
      keys = kept
    }
    guard keys.peerID == wanted else {
      throw Failure(
        "\(file): it is of peer \(wanted), whose key is needed to sign what it signed; give the identity.key of its store with --key"
      )
    }
    return keys
  }

  private func range() throws -> ClosedRange<Int>? {
    guard let steps else { return nil }
    let ends = steps.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let from = ends.first ?? nil, let to = ends.last ?? nil, ends.count <= 2, from >= 0, from <= to else {
      throw Failure("--steps \(steps): give one number from 0, or two such as 120-140")
    }
    return from...to
  }

  private func words(_ number: Int, _ entry: Recording.Entry, _ effects: [Peer.Effect], _ peer: Peer) throws -> String {
    let time = (entry.time.seconds * 1_000).rounded() / 1_000
    let wants = effects.map { "    wants: \(ReplayWords.of($0))" }
    return (["\(number)  \(time) s  \(ReplayWords.of(try peer.input(decoding: entry.input)))"] + wants).joined(separator: "\n")
  }

  private func conclude(_ replay: Replay, _ setup: Setup, seconds: Double, isCutOff: Bool, _ console: Console) throws {
    let peer = replay.peer
    console.show("peer \(peer.id), session \(peer.collective.session.name)")
    console.show("\(replay.steps) steps over \((seconds * 10).rounded() / 10) s\(isCutOff ? "; the last one is cut off" : "")")
    if !setup.test.isEmpty {
      let trainer = Workbench().trainer(for: setup.architecture, batch: setup.session.training.batch)
      let accuracy = trainer.evaluate(peer.collective.parameters, on: setup.samples, rows: setup.test).accuracy
      console.show("at the end: cycle \(peer.collective.cycle), \((accuracy * 10_000).rounded() / 100) % accurate on test rows")
    }
    if let root = peer.collective.newest?.root { console.show("model: \(root)") }
    if let out {
      let file = SafeTensors.encode(peer.collective.parameters, setup.architecture, metadata: ["peer": "\(peer.id)"])
      do { try Data(file).write(to: URL(fileURLWithPath: out)) } catch {
        throw Failure("--out \(out): \(error.localizedDescription)")
      }
    }
    guard let parted = replay.parted else { return console.show("every step wanted what it wanted then") }
    console.show("the lives part at step \(parted)")
    throw ExitCode(1)
  }
}

/// What a peer is told and wants, in a line each.
enum ReplayWords {
  static func of(_ input: Peer.Input) -> String {
    switch input {
    case .started: "started"
    case .connected(let peer, let known): "connected to \(peer), which speaks \(known.languages.rawValue)"
    case .disconnected(let peer): "\(peer) is gone"
    case .received(let peer, let message): "\(of(message)) from \(peer)"
    case .fired(let timer): "timer \(timer)"
    case .worked(let result): "a job ended: \(result.evaluation.correct) of \(result.evaluation.count) right"
    case .asked(let ask): "asked: \("\(ask)".prefix(200))"
    case .disk(let outcome): "disk: \("\(outcome)".prefix(120))"
    case .recorded(let peer, _): "\(peer) signed where it can be reached"
    case .written(let peer, let bytes): "\(bytes) bytes of blocks went to \(peer)"
    }
  }

  static func of(_ effect: Peer.Effect) -> String {
    switch effect {
    case .send(let peer, let message): "to send \(of(message)) to \(peer)"
    case .arm(let timer, let at): at == .never ? "no timer \(timer)" : "timer \(timer) at \(at.seconds) s"
    case .compute: "to compute"
    case .note(let event): "to note: \(event)"
    case .answer(let answer): "to answer: \("\(answer)".prefix(200))"
    case .disconnect(let peer): "to disconnect \(peer)"
    case .connect(let peer, _): "to connect to \(peer)"
    case .disk(let errand): "the disk: \("\(errand)".prefix(120))"
    }
  }

  private static func of(_ message: Peer.Message) -> String {
    switch message {
    case .collective(let inner):
      "a message of the session (\("\(inner)".prefix(while: { $0 != "(" }).split(separator: ".").last ?? ""), \(message.wireSize) bytes)"
    case .blocks(let inner): "a message of bitswap (\(inner.blocks.count) blocks, \(message.wireSize) bytes)"
    case .pubsub: "a message of pub/sub (\(message.wireSize) bytes)"
    }
  }
}
