/// A protocol as a value: an input, the time and a source of chance go in, effects come out.
///
/// A machine does no I/O, reads no clock, draws no hidden random number, spawns nothing and logs nothing; what it wants done it
/// appends to the effects, and the world that holds it (the simulator or a host) does it. That is why the same machine runs on real
/// sockets and under virtual time, and why a seed replays a run exactly.
public protocol Machine {
  /// What may happen to the machine, named as a fact in the past tense: a message came, a timer fired, a job ended.
  associatedtype Input: Sendable
  /// What the machine may want done, named in the imperative: send, arm a timer, compute, store.
  associatedtype Effect: Sendable

  /// Takes one input and appends what is to be done, in order.
  mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>)
}

/// What a machine wants done, in the order in which it is to be done.
public struct Effects<Effect> {
  /// The effects so far.
  public private(set) var list: [Effect]

  /// No effects yet.
  public init() { list = [] }

  /// No effects yet, with room for `count`.
  public init(reserving count: Int) {
    list = []
    list.reserveCapacity(count)
  }

  /// Whether nothing is wanted.
  public var isEmpty: Bool { list.isEmpty }

  /// Wants `effect` done after all that is already there.
  public mutating func append(_ effect: Effect) { list.append(effect) }

  /// Hands the effects to the world one by one and starts afresh.
  public mutating func drain(_ perform: (Effect) -> Void) {
    let taken = list
    list = []
    for effect in taken { perform(effect) }
  }

  /// Takes all effects out.
  public mutating func take() -> [Effect] {
    defer { list = [] }
    return list
  }

  /// Empties the list but keeps its storage, for a world that reads ``list`` itself.
  public mutating func removeAll() { list.removeAll(keepingCapacity: true) }
}

extension Effects: Sendable where Effect: Sendable {}
