public import MurmurMachines
public import MurmurWire

/// One step of a recorded peer: when, what happened, and the digest of all effects up to and including this step.
public struct RecordedStep: Hashable, Sendable {
  /// When it happened.
  public var time: Instant
  /// The encoded ``Peer/Input``.
  public var input: [UInt8]
  /// ``EffectsDigest/value`` after the step.
  public var digest: Digest

  /// One step.
  public init(time: Instant, input: [UInt8], digest: Digest) {
    self.time = time
    self.input = input
    self.digest = digest
  }
}

extension Peer {
  /// Takes one input as a recorded peer would: the step, with what it wanted, and the step's record.
  public mutating func record(
    _ input: Input, at now: Instant, chance: inout Chance, digest: inout EffectsDigest, effects: inout Effects<Effect>
  ) -> RecordedStep {
    let start = effects.list.count
    step(input, at: now, chance: &chance, effects: &effects)
    digest.add(Array(effects.list[start...]))
    return RecordedStep(time: now, input: input.encode(), digest: digest.value)
  }
}

/// A peer that lives a recorded life again, from the same beginning: the same session, rows and seed. It compares what it wants with
/// what was wanted then, so that the first step that differs is found, and shows its state at every step to whoever looks for a bug.
public struct Replay: Sendable {
  /// The peer as it is now.
  public private(set) var peer: Peer
  /// Steps done.
  public private(set) var steps = 0
  /// The first step, from 0, whose effects were not those recorded; `nil` if all agreed so far.
  public private(set) var parted: Int?
  private var chance: Chance
  private var digest = EffectsDigest()

  /// A peer at the beginning of a recorded life.
  public init(_ peer: Peer, chance: Chance) {
    self.peer = peer
    self.chance = chance
  }

  /// Takes the next recorded step and returns what the peer wants done. Throws if the input cannot be read.
  public mutating func take(_ step: RecordedStep) throws(WireError) -> [Peer.Effect] {
    let input = try peer.input(decoding: step.input)
    var effects = Effects<Peer.Effect>()
    peer.step(input, at: step.time, chance: &chance, effects: &effects)
    digest.add(effects.list)
    if parted == nil, digest.value != step.digest { parted = steps }
    steps += 1
    return effects.list
  }
}
