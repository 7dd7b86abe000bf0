using System.Buffers.Binary;
using System.Text;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Finds what a check looks for in messages of nf_tables and nfnetlink_hook, attribute by attribute; bytes that lie find nothing.</summary>
internal static class NetfilterNames
{
    // linux/netfilter/nf_tables.h and nf_tables_compat.h.
    private const ushort TableName = 1;
    private const ushort ObjectName = 2;
    private const ushort ChainName = 3;
    private const ushort RuleExpressions = 4;
    private const ushort ExpressionName = 1;
    private const ushort ExpressionData = 2;
    private const ushort CompatName = 1;
    private const ushort FlowtableFlags = 7;

    // linux/netfilter/nfnetlink_hook.h, and NF_IP_PRI_CONNTRACK.
    private const ushort HookPriority = 2;
    private const ushort HookFunction = 4;
    private const ushort HookChain = 6;
    private const int ConntrackPriority = -200;

    private static readonly HashSet<string> Expressions = new(StringComparer.Ordinal) { "ct", "nat", "masq", "redir", "connlimit", "flow_offload", "synproxy" };

    // iptables-nft keeps its own matches and targets inside of expressions called match and target.
    private static readonly HashSet<string> Compat = new(StringComparer.Ordinal)
    {
        "conntrack", "state", "connmark", "connlimit", "connbytes", "connlabel", "helper", "MASQUERADE", "DNAT", "SNAT", "REDIRECT", "NETMAP", "CONNMARK", "CT",
    };

    /// <summary>Whether a rule has an expression that needs connection tracking.</summary>
    public static bool UsesConntrack(ReadOnlySpan<byte> message)
    {
        var rule = new AttributeReader(Body(message));
        while (rule.Next())
        {
            var expressions = new AttributeReader(rule.Type == RuleExpressions ? rule.Value : default);
            while (expressions.Next())
            {
                var name = Text(Find(expressions.Value, ExpressionName));
                if (Expressions.Contains(name) || (name is "match" or "target" && Compat.Contains(Text(Find(Find(expressions.Value, ExpressionData), CompatName)))))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether a registered hook is connection tracking's: by its function's name, or, where the kernel hides names, by its priority.</summary>
    public static bool IsConntrackHook(ReadOnlySpan<byte> message)
    {
        var body = Body(message);
        var priority = Find(body, HookPriority);
        return Text(Find(body, HookFunction)).Contains("conntrack", StringComparison.Ordinal)
            || (Find(body, HookChain).IsEmpty && priority.Length == sizeof(int) && BinaryPrimitives.ReadInt32BigEndian(priority) == ConntrackPriority);
    }

    /// <summary>Table and name of a chain.</summary>
    public static (string Table, string Name) Chain(ReadOnlySpan<byte> message) => (Text(Find(Body(message), TableName)), Text(Find(Body(message), ChainName)));

    /// <summary>Table, name and flags of a flowtable.</summary>
    public static (string Table, string Name, uint Flags) Flowtable(ReadOnlySpan<byte> message)
    {
        var flags = Find(Body(message), FlowtableFlags);
        return (Text(Find(Body(message), TableName)), Text(Find(Body(message), ObjectName)), flags.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(flags) : 0);
    }

    /// <summary>The attributes after struct nfgenmsg.</summary>
    private static ReadOnlySpan<byte> Body(ReadOnlySpan<byte> message) => message.Length < CtMsg.GenericHeaderLength ? default : message[CtMsg.GenericHeaderLength..];

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> nest, ushort type)
    {
        var attributes = new AttributeReader(nest);
        while (attributes.Next())
        {
            if (attributes.Type == type)
            {
                return attributes.Value;
            }
        }

        return default;
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}
