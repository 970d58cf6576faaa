package import MurmurCompute
package import MurmurSessions

extension Session.Optimizer {
  /// The optimiser that a session names.
  package var rule: MurmurCompute.Optimizer {
    switch self {
    case .sgd(let momentum): .sgd(momentum: Float(momentum))
    case .adam: .adam()
    case .adamW(let decay): .adamW(decay: Float(decay))
    }
  }
}
