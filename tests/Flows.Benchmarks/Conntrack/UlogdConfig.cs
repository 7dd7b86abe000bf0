namespace Flows.Benchmarks.Conntrack;

/// <summary>How ulogd2 writes what it learns of a flow: the plugins behind NFCT, and the section of the last.</summary>
/// <param name="Name">What the table says.</param>
/// <param name="Stack">As the configuration has it.</param>
/// <param name="Plugins">Those of the stack beside NFCT; no others are loaded.</param>
internal sealed record UlogdStack(string Name, string Stack, IReadOnlyList<string> Plugins)
{
    /// <summary>The cheapest that it has: one short line for each flow.</summary>
    public static UlogdStack Nacct { get; } = new("ulogd2 NACCT", "ct1:NFCT,ip1:IP2STR,out1:NACCT", ["filter_IP2STR", "output_NACCT"]);

    /// <summary>The stack that its own configuration file gives first for flows: a line in the manner of syslog.</summary>
    public static UlogdStack Logemu { get; } = new("ulogd2 LOGEMU", "ct1:NFCT,ip1:IP2STR,print1:PRINTFLOW,out1:LOGEMU", ["filter_IP2STR", "filter_PRINTFLOW", "output_LOGEMU"]);
}

/// <summary>
/// How ulogd2 runs: event-driven with its table of connections, as by default, subscribed to NEW and DESTROY, as by default, with 64 MiB of
/// socket buffer as we have, and a table that holds every flow of the round, where its default of 32,768 would lose flows. Its lines go to
/// a file in memory, not one by one.
/// </summary>
internal static class UlogdConfig
{
    public const string Program = "/usr/sbin/ulogd";

    /// <summary>What it says when it listens.</summary>
    public const string Ready = "working in event mode";

    // Where the largest size allowed is the size itself, it sets none at all.
    private const int BufferBytes = 64 << 20;

    /// <summary>Writes the configuration and returns its path; the lines go to <paramref name="output"/>.</summary>
    public static string Write(UlogdStack stack, DirectoryInfo folder, string output)
    {
        var path = Path.Combine(folder.FullName, "ulogd.conf");
        var plugins = Directory.EnumerateDirectories("/usr/lib", "ulogd", SearchOption.AllDirectories).First();
        string[] loaded = ["inpflow_NFCT", .. stack.Plugins];
        File.WriteAllText(path, FormattableString.Invariant($"""
            [global]
            logfile="{folder.FullName}/log"
            loglevel=3
            {string.Join('\n', loaded.Select(name => $"plugin=\"{plugins}/ulogd_{name}.so\""))}
            stack={stack.Stack}
            [ct1]
            hash_enable=1
            hash_buckets=65536
            hash_max_entries=262144
            event_mask=5
            netlink_socket_buffer_size={BufferBytes}
            netlink_socket_buffer_maxsize={4 * BufferBytes}
            [out1]
            file="{output}"
            sync=0

            """));
        return path;
    }
}
