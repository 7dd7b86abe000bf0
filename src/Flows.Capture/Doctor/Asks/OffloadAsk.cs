using System.Buffers.Binary;
using System.Text;

namespace Flows.Capture.Doctor.Asks;

/// <summary>
/// The features of an interface that are switched on, by the ethtool ioctl (linux/ethtool.h): the names first (ETHTOOL_GSSET_INFO, ETHTOOL_GSTRINGS),
/// then the bits (ETHTOOL_GFEATURES). None of the three needs a privilege.
/// </summary>
internal static unsafe class OffloadAsk
{
    private const uint GetStrings = 0x1B;
    private const uint GetSetInfo = 0x37;
    private const uint GetFeatures = 0x3A;
    private const uint FeatureStrings = 4;
    private const int StringBytes = 32;
    private const int NameBytesMax = 15;

    // Linux has some 60 features; a count beyond this is no answer.
    private const int FeaturesMax = 1024;

    public static IReadOnlySet<string>? Active(string name)
    {
        var fd = DoctorNative.Socket(DoctorNative.AfInet, DoctorNative.SockDgram | DoctorNative.SockCloexec, 0);
        if (fd < 0 || Encoding.UTF8.GetByteCount(name) > NameBytesMax)
        {
            return null;
        }

        try
        {
            return Count(fd, name) is { } count and > 0 and <= FeaturesMax ? Read(fd, name, count) : null;
        }
        finally
        {
            _ = DoctorNative.Close(fd);
        }
    }

    private static int? Count(int fd, string name)
    {
        // struct ethtool_sset_info: u32 cmd, u32 reserved, u64 mask, u32 counts.
        var request = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(request, GetSetInfo);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(8), 1UL << (int)FeatureStrings);
        return Ask(fd, name, request) ? (int)BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(16)) : null;
    }

    private static HashSet<string>? Read(int fd, string name, int count)
    {
        // struct ethtool_gstrings: u32 cmd, u32 string_set, u32 len, then 32 bytes a name.
        var strings = new byte[12 + (count * StringBytes)];
        BinaryPrimitives.WriteUInt32LittleEndian(strings, GetStrings);
        BinaryPrimitives.WriteUInt32LittleEndian(strings.AsSpan(4), FeatureStrings);
        BinaryPrimitives.WriteUInt32LittleEndian(strings.AsSpan(8), (uint)count);

        // struct ethtool_gfeatures: u32 cmd, u32 size, then for 32 features each: u32 available, requested, active, never_changed.
        var blocks = (count + 31) / 32;
        var features = new byte[8 + (blocks * 16)];
        BinaryPrimitives.WriteUInt32LittleEndian(features, GetFeatures);
        BinaryPrimitives.WriteUInt32LittleEndian(features.AsSpan(4), (uint)blocks);
        if (!Ask(fd, name, strings) || !Ask(fd, name, features))
        {
            return null;
        }

        var active = new HashSet<string>(StringComparer.Ordinal);
        for (var bit = 0; bit < count; bit++)
        {
            var block = BinaryPrimitives.ReadUInt32LittleEndian(features.AsSpan(8 + (bit / 32 * 16) + 8));
            if ((block >> (bit % 32) & 1) != 0)
            {
                active.Add(Encoding.ASCII.GetString(strings.AsSpan(12 + (bit * StringBytes), StringBytes)).TrimEnd('\0'));
            }
        }

        return active;
    }

    private static bool Ask(int fd, string name, byte[] request)
    {
        // struct ifreq: 16 bytes of name, then a pointer in a union of 24 bytes.
        const int InterfaceRequestBytes = 40;
        var interfaceRequest = stackalloc byte[InterfaceRequestBytes];
        var bytes = new Span<byte>(interfaceRequest, InterfaceRequestBytes);
        bytes.Clear();
        Encoding.UTF8.GetBytes(name, bytes[..NameBytesMax]);
        fixed (byte* data = request)
        {
            *(byte**)(interfaceRequest + 16) = data;
            return DoctorNative.Control(fd, DoctorNative.EthtoolRequest, interfaceRequest) == 0;
        }
    }
}
