import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurDatasets
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurScenario
import MurmurSessions
import MurmurStorage
import MurmurWire

extension Target {
  private static let architecture: Architecture = {
    do { return try Architecture(parsing: "4-3-2") } catch { preconditionFailure("\(error)") }
  }()

  private static let recorded: Peer = {
    var session = Session()
    session.model = "4-3-2"
    let samples = Samples(features: [1, 2, 3, 4], width: 4, labels: [0], classes: 2)
    let collective = Collective(
      id: Sample.peer(0), session: session, architecture: architecture, role: .full,
      rows: Work.Rows(samples: samples, training: [0], validation: [0]), start: architecture.initialParameters(seed: 1))
    return Peer(
      collective: collective, exchange: Exchange(), pubsub: PubSub(id: Sample.peer(0)), chance: Chance(seed: 1))
  }()

  /// Decoders of files.
  static let files: [Target] = [
    Target(
      "safetensors",
      seeds: { [SafeTensors.encode(architecture.initialParameters(seed: 1), architecture, metadata: ["peer": "x"])] }
    ) { bytes in
      if let (read, parameters, _) = try? SafeTensors.decode(bytes) { precondition(parameters.count == read.parameterCount) }
      _ = try? ModelFile(bytes, architecture)
    },
    Target(
      "slices",
      seeds: {
        let samples = Samples(features: [1, 2, 3, 4, 5, 6, 7, 8], width: 4, labels: [0, 1], classes: 2)
        return [SliceFile.encode(samples, rows: [0, 1])]
      }
    ) { bytes in
      if let samples = SliceFile.decode(bytes, width: 4, classes: 2) {
        precondition(SliceFile.encode(samples, rows: Array(0..<Int32(samples.count))) == bytes)
      }
    },
    Target("csv", seeds: { [Array("a,b,label\n1,2,x\n3,4,y\n".utf8), Array("1\t2\t3\n4\t5\t6\n".utf8)] }) { bytes in
      _ = try? CSV.parse(bytes: bytes, file: "fuzz.csv")
    },
    Target(
      "arrays", seeds: { [[0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3], Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) })] }
    ) { bytes in
      _ = try? IDX.parse(bytes: bytes, file: "fuzz.idx").dataset(name: "fuzz")
      _ = try? NPY.parse(bytes: bytes, file: "fuzz.npy").dataset(name: "fuzz", label: .none)
      _ = try? Gzip.inflate(bytes, limit: 40_000, file: "fuzz.gz")
    },
    Target("yaml", seeds: { [Array(Scenario().yaml.utf8)] }) { bytes in
      guard let scenario = try? Scenario(bytes: bytes, file: "fuzz.yaml") else { return }
      precondition((try? Scenario(yaml: scenario.yaml, file: "fuzz.yaml")) == scenario)
    },
    Target(
      "recordings",
      seeds: {
        let header = Recording.Header(seed: 7, peer: [1, 2], context: [1])
        let entry = Recording.Entry(time: .origin, digest: .sha256(of: [1]), input: Peer.Input.started.encode())
        return [[0] + Recording.encode(header) + Recording.encode(entry)]
          + [
            Peer.Input.received(from: Sample.peer(1), .pubsub(Sample.rpc)).encode(),
            Peer.Input.received(from: Sample.peer(1), .blocks(Sample.bitswap)).encode(),
            Peer.Input.received(from: Sample.peer(1), .collective(.news([Sample.announcement], wantsReply: true))).encode(),
            Peer.Input.fired(.pubsub(.heartbeat)).encode(), Peer.Input.connected(Sample.peer(1)).encode(),
            Peer.Input.disk(.stored(Sample.cid)).encode(), Peer.Input.asked(.put(Sample.object)).encode(),
            Peer.Input.asked(.fetch(Sample.cid, providers: [Sample.peer(1)], deadline: .origin, keeping: .disk)).encode(),
          ].map { [1] + $0 }
      }
    ) { bytes in
      var draw = Draw(bytes)
      let kind = draw.byte() & 1
      guard kind == 0 else {
        if let input = try? recorded.input(decoding: draw.rest()) {
          precondition((try? recorded.input(decoding: input.encode()))?.encode() == input.encode())
        }
        return
      }
      var reader = RecordingReader()
      reader.append(draw.rest())
      while let entry = try? reader.next() { _ = try? recorded.input(decoding: entry.input) }
    },
    Target("states", seeds: { [SessionState(session: "s", seed: 1).encode()] }) { bytes in
      if let state = try? SessionState(decoding: bytes) { precondition((try? SessionState(decoding: state.encode())) == state) }
    },
  ]
}
