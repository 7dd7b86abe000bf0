using System.Runtime.InteropServices;
using Flows.Capture.Packets;

namespace Flows.Capture.Live;

/// <summary>struct bpf_insn (linux/bpf_common.h, linux/filter.h): one instruction of the classic packet filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

/// <summary>
/// The program that the kernel runs for each packet: its result is how many bytes of it reach the ring. Headers need little; an answer of
/// a name server is wanted whole. So one ring holds many packets, and no other payload than DNS comes near this process.
/// </summary>
internal static class CaptureProgram
{
    /// <summary>Bytes of an ordinary packet: two VLAN tags, IPv6 with extensions, TCP, and the packet that an ICMP error quotes.</summary>
    public const int HeaderBytes = 192;

    /// <summary>Bytes of a packet from or to port 53: an Ethernet frame's payload and its headers.</summary>
    public const int NamesBytes = 1600;

    private const uint NamesPort = 53;

    // Where the program ends: in the jumps below these stand for the places of the two last pairs of instructions.
    private const byte ToHeaders = 254;
    private const byte ToWhole = 255;

    // linux/bpf_common.h: load word, half word or byte; of a constant, the length, an offset, or an offset behind X; jumps; return.
    private const ushort LoadConstant = 0x00;
    private const ushort LoadLength = 0x80;
    private const ushort LoadHalf = 0x28;
    private const ushort LoadByte = 0x30;
    private const ushort LoadHalfBehindX = 0x48;
    private const ushort LoadHeaderLengthToX = 0xB1;
    private const ushort JumpEqual = 0x15;
    private const ushort JumpGreater = 0x25;
    private const ushort JumpAnySet = 0x45;
    private const ushort ReturnA = 0x16;

    /// <summary>The program for a link type. One whose headers are not known here gets what is right for it: the first bytes of all packets.</summary>
    /// <remarks>
    /// A load beyond the packet's end rejects the packet uncounted, so the ordinary program looks only into packets that are longer than what
    /// is kept anyway. libpcap turns a constant result into its own maximum when it installs a program, but leaves a result in A alone.
    /// </remarks>
    public static FilterInstruction[] For(int linkType, InterfaceFilter filter)
    {
        var program = new List<FilterInstruction>(32);
        if (filter == InterfaceFilter.All)
        {
            program.Add(new(LoadLength, 0, 0, 0));
            program.Add(new(JumpGreater, 0, ToHeaders, HeaderBytes));
        }

        switch (linkType)
        {
            case LinkType.Ethernet:
                AddEtherTypes(program, typeAt: 12, ip: 14);
                break;
            case LinkType.LinuxSll:
                AddEtherTypes(program, typeAt: 14, ip: 16);
                break;
            case LinkType.LinuxSll2:
                AddEtherTypes(program, typeAt: 0, ip: 20);
                break;
            case LinkType.Raw or LinkType.RawBsd or LinkType.RawOpenBsd:
                AddVersions(program);
                break;
            case LinkType.Ipv4:
                AddIpv4(program, ip: 0);
                break;
            case LinkType.Ipv6:
                AddIpv6(program, ip: 0);
                break;
            default:
                // Falls through to the headers.
                break;
        }

        return Close(program, filter == InterfaceFilter.All ? HeaderBytes : 0u);
    }

    private static void AddEtherTypes(List<FilterInstruction> program, uint typeAt, uint ip)
    {
        const byte Ipv4Instructions = 10;
        program.Add(new(LoadHalf, 0, 0, typeAt));
        program.Add(new(JumpEqual, 0, Ipv4Instructions, 0x0800));
        AddIpv4(program, ip);
        program.Add(new(JumpEqual, 0, ToHeaders, 0x86DD));
        AddIpv6(program, ip);
    }

    private static void AddVersions(List<FilterInstruction> program)
    {
        const byte Ipv4Instructions = 10;
        program.Add(new(LoadByte, 0, 0, 0));
        program.Add(new(JumpGreater, Ipv4Instructions, 0, 0x4F));
        AddIpv4(program, ip: 0);
        AddIpv6(program, ip: 0);
    }

    /// <summary>Ten instructions: TCP or UDP, not a later fragment, either port.</summary>
    private static void AddIpv4(List<FilterInstruction> program, uint ip)
    {
        program.Add(new(LoadByte, 0, 0, ip + 9));
        program.Add(new(JumpEqual, 1, 0, 6));
        program.Add(new(JumpEqual, 0, ToHeaders, 17));
        program.Add(new(LoadHalf, 0, 0, ip + 6));
        program.Add(new(JumpAnySet, ToHeaders, 0, 0x1FFF));
        program.Add(new(LoadHeaderLengthToX, 0, 0, ip));
        program.Add(new(LoadHalfBehindX, 0, 0, ip));
        program.Add(new(JumpEqual, ToWhole, 0, NamesPort));
        program.Add(new(LoadHalfBehindX, 0, 0, ip + 2));
        program.Add(new(JumpEqual, ToWhole, ToHeaders, NamesPort));
    }

    private static void AddIpv6(List<FilterInstruction> program, uint ip)
    {
        program.Add(new(LoadByte, 0, 0, ip + 6));
        program.Add(new(JumpEqual, 1, 0, 6));
        program.Add(new(JumpEqual, 0, ToHeaders, 17));
        program.Add(new(LoadHalf, 0, 0, ip + 40));
        program.Add(new(JumpEqual, ToWhole, 0, NamesPort));
        program.Add(new(LoadHalf, 0, 0, ip + 42));
        program.Add(new(JumpEqual, ToWhole, ToHeaders, NamesPort));
    }

    private static FilterInstruction[] Close(List<FilterInstruction> program, uint headerBytes)
    {
        var headers = program.Count;
        program.Add(new(LoadConstant, 0, 0, headerBytes));
        program.Add(new(ReturnA, 0, 0, 0));
        program.Add(new(LoadConstant, 0, 0, NamesBytes));
        program.Add(new(ReturnA, 0, 0, 0));
        for (var at = 0; at < headers; at++)
        {
            // A jump counts from the instruction after it.
            var one = program[at];
            program[at] = one with { IfTrue = Resolve(one.IfTrue, at, headers), IfFalse = Resolve(one.IfFalse, at, headers) };
        }

        return [.. program];
    }

    private static byte Resolve(byte jump, int at, int headers) => jump switch
    {
        ToHeaders => (byte)(headers - at - 1),
        ToWhole => (byte)(headers + 2 - at - 1),
        _ => jump,
    };
}
