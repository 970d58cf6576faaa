import MurmurCommands

/// The command line; everything is in `MurmurCommands`, so that tests can reach it.
@main
struct Main {
  static func main() async { await Murmur.launch() }
}
