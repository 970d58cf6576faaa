import NIOCore
import NIOPosix

/// Ports of the loopback interface at which nobody listens.
enum SplitPorts {
  /// Below those that systems give to outgoing connections, or a device that dials another that has not started could be given its port.
  private static let range = 12_000..<30_000

  static func free(_ count: Int) async throws -> [Int] {
    var found: [Int] = []
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<count * 50 where found.count < count {
      let port = Int.random(in: range, using: &generator)
      guard !found.contains(port),
        let channel = try? await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: port)
          .get()
      else { continue }
      try await channel.close()
      found.append(port)
    }
    guard found.count == count else {
      throw Failure("\(count) free ports of 127.0.0.1 were not found; end some programs that listen")
    }
    return found
  }
}
