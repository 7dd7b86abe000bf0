namespace Flows.Capture.Files;

/// <summary>One packet of a capture file. <see cref="Data"/> is valid until the next read.</summary>
public readonly ref struct CapturedPacket(ReadOnlySpan<byte> data, int linkType, int wireLength, long timeUs, string interfaceName)
{
    /// <summary>The captured bytes.</summary>
    public ReadOnlySpan<byte> Data { get; } = data;

    /// <summary>LINKTYPE_ value (tcpdump.org/linktypes.html).</summary>
    public int LinkType { get; } = linkType;

    /// <summary>Bytes on the wire.</summary>
    public int WireLength { get; } = wireLength;

    /// <summary>Microseconds since the Unix epoch.</summary>
    public long TimeUs { get; } = timeUs;

    /// <summary>As the file names it, or empty.</summary>
    public string InterfaceName { get; } = interfaceName;
}
