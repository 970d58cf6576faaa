import MurmurSplit
import NIOConcurrencyHelpers

/// What the sockets' loop has for the machine's: inputs in the order in which they came, bounded by their bytes.
final class SplitMailbox: Sendable {
  private struct State {
    var inputs: [SplitDevice.Input] = []
    var bytes = 0
    /// Whether the machine's loop was told and has not looked yet.
    var isAwake = false
    /// Whether the sockets' loop waits for room.
    var isOwed = false
    var wake: @Sendable () -> Void = {}
    var giveBack: @Sendable () -> Void = {}
  }

  private let limit: Int
  private let state = NIOLockedValueBox(State())

  init(limit: Int) { self.limit = limit }

  func connect(wake: @escaping @Sendable () -> Void, giveBack: @escaping @Sendable () -> Void) {
    state.withLockedValue { ($0.wake, $0.giveBack) = (wake, giveBack) }
  }

  /// Puts an input of so many bytes in; false if nothing more is to be read until there is room.
  func put(_ input: SplitDevice.Input, bytes: Int) -> Bool {
    let (wake, hasRoom): ((@Sendable () -> Void)?, Bool) = state.withLockedValue { state in
      state.inputs.append(input)
      state.bytes += bytes
      let hasRoom = state.bytes < limit
      if !hasRoom { state.isOwed = true }
      guard !state.isAwake else { return (nil, hasRoom) }
      state.isAwake = true
      return (state.wake, hasRoom)
    }
    wake?()
    return hasRoom
  }

  /// Everything that is there; empty when nothing is, and then the next input wakes the machine anew.
  func take() -> [SplitDevice.Input] {
    let (inputs, giveBack): ([SplitDevice.Input], (@Sendable () -> Void)?) = state.withLockedValue { state in
      let inputs = state.inputs
      state.inputs = []
      state.bytes = 0
      if inputs.isEmpty { state.isAwake = false }
      guard state.isOwed else { return (inputs, nil) }
      state.isOwed = false
      return (inputs, state.giveBack)
    }
    giveBack?()
    return inputs
  }
}
