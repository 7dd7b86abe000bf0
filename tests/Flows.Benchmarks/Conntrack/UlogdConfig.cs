namespace Flows.Benchmarks.Conntrack;

/// <summary>
/// How ulogd2 runs: event-driven with its table of connections, as by default, subscribed to NEW and DESTROY, as by default, with 64 MiB of
/// socket buffer as we have, and a table that holds every flow of the round, where its default of 32,768 would lose flows. Its output is
/// NACCT, the cheapest form that it has: one short line for each flow, to a file in memory. Only the plugins of that stack are loaded.
/// </summary>
internal static class UlogdConfig
{
    public const string Program = "/usr/sbin/ulogd";

    /// <summary>What it says when it listens, on standard error.</summary>
    public const string Ready = "working in event mode";

    private const int BufferBytes = 64 << 20;

    /// <summary>Writes the configuration and returns its path; the lines go to <paramref name="output"/>.</summary>
    public static string Write(DirectoryInfo folder, string output)
    {
        var path = Path.Combine(folder.FullName, "ulogd.conf");
        var plugins = Directory.EnumerateDirectories("/usr/lib", "ulogd", SearchOption.AllDirectories).First();
        File.WriteAllText(path, FormattableString.Invariant($"""
            [global]
            logfile="stderr"
            loglevel=3
            plugin="{plugins}/ulogd_inpflow_NFCT.so"
            plugin="{plugins}/ulogd_filter_IP2STR.so"
            plugin="{plugins}/ulogd_output_NACCT.so"
            stack=ct1:NFCT,ip1:IP2STR,nacct1:NACCT
            [ct1]
            hash_enable=1
            hash_buckets=65536
            hash_max_entries=262144
            event_mask=5
            netlink_socket_buffer_size={BufferBytes}
            netlink_socket_buffer_maxsize={BufferBytes}
            [nacct1]
            file="{output}"
            sync=0

            """));
        return path;
    }
}
