extension SunSpecText {
  /// What every device has, and inverters: models 1, 101 to 103, 111 to 113, 120 to 125, 145 and 160.
  static let inverters = #"""
    @1:common 1h
    Mn str16 =
    Md str16 =
    Opt str8 =
    Vr str8 =
    SN str16 =
    DA u16 !
    Pad pad =
    @101:inverter 102:inverter 103:inverter 10s
    A u16 A *A_SF
    AphA u16 A *A_SF
    AphB u16 A *A_SF
    AphC u16 A *A_SF
    A_SF sf
    PPVphAB u16 V *V_SF
    PPVphBC u16 V *V_SF
    PPVphCA u16 V *V_SF
    PhVphA u16 V *V_SF
    PhVphB u16 V *V_SF
    PhVphC u16 V *V_SF
    V_SF sf
    W s16 W ^ *W_SF
    W_SF sf
    Hz u16 Hz ^ *Hz_SF
    Hz_SF sf
    VA s16 V.A *VA_SF
    VA_SF sf
    VAr s16 var *VAr_SF
    VAr_SF sf
    PF s16 % *PF_SF
    PF_SF sf
    WH a32 W.h ^ *WH_SF
    WH_SF sf
    DCA u16 A *DCA_SF
    DCA_SF sf
    DCV u16 V ^ *DCV_SF
    DCV_SF sf
    DCW s16 W ^ *DCW_SF
    DCW_SF sf
    TmpCab s16 degC *Tmp_SF
    TmpSnk s16 degC *Tmp_SF
    TmpTrns s16 degC *Tmp_SF
    TmpOt s16 degC *Tmp_SF
    Tmp_SF sf
    St e16 ^ {1:off,2:sleeping,3:starting,4:mppt,5:throttled,6:shutting-down,7:fault,8:standby}
    StVnd e16
    Evt1 b32 ^ {0:ground-fault,1:dc-over-volt,2:ac-disconnect,3:dc-disconnect,4:grid-disconnect,5:cabinet-open,6:manual-shutdown,7:over-temp,8:over-frequency,9:under-frequency,10:ac-over-volt,11:ac-under-volt,12:blown-string-fuse,13:under-temp,14:memory-loss,15:hw-test-failure}
    Evt2 b32
    ~4 EvtVnd# b32
    @111:inverter 112:inverter 113:inverter 10s
    A f32 A
    AphA f32 A
    AphB f32 A
    AphC f32 A
    PPVphAB f32 V
    PPVphBC f32 V
    PPVphCA f32 V
    PhVphA f32 V
    PhVphB f32 V
    PhVphC f32 V
    W f32 W ^
    Hz f32 Hz ^
    VA f32 V.A
    VAr f32 var
    PF f32 %
    WH f32 W.h ^
    DCA f32 A
    DCV f32 V ^
    DCW f32 W ^
    TmpCab f32 degC
    TmpSnk f32 degC
    TmpTrns f32 degC
    TmpOt f32 degC
    St e16 ^ {1:off,2:sleeping,3:starting,4:mppt,5:throttled,6:shutting-down,7:fault,8:standby}
    StVnd e16
    Evt1 b32 ^ {0:ground-fault,1:dc-over-volt,2:ac-disconnect,3:dc-disconnect,4:grid-disconnect,5:cabinet-open,6:manual-shutdown,7:over-temp,8:over-frequency,9:under-frequency,10:ac-over-volt,11:ac-under-volt,12:blown-string-fuse,13:under-temp,14:memory-loss,15:hw-test-failure}
    Evt2 b32
    ~4 EvtVnd# b32
    @120:nameplate 1h
    DERTyp e16 {4:pv,82:pv-stor}
    WRtg u16 W *WRtg_SF
    WRtg_SF sf
    VARtg u16 V.A *VARtg_SF
    VARtg_SF sf
    ~4 VArRtgQ# s16 var *VArRtg_SF
    VArRtg_SF sf
    ARtg u16 A *ARtg_SF
    ARtg_SF sf
    ~4 PFRtgQ# s16 *PFRtg_SF
    PFRtg_SF sf
    WHRtg u16 W.h *WHRtg_SF
    WHRtg_SF sf
    AhrRtg u16 A.h *AhrRtg_SF
    AhrRtg_SF sf
    MaxChaRte u16 W *MaxChaRte_SF
    MaxChaRte_SF sf
    MaxDisChaRte u16 W *MaxDisChaRte_SF
    MaxDisChaRte_SF sf
    Pad pad
    @121:settings 1m
    WMax u16 W *WMax_SF !
    VRef u16 V *VRef_SF !
    VRefOfs s16 V *VRefOfs_SF !
    VMax u16 V *VMinMax_SF !
    VMin u16 V *VMinMax_SF !
    VAMax u16 V.A *VAMax_SF !
    ~4 VArMaxQ# s16 var *VArMax_SF !
    WGra u16 %/s *WGra_SF !
    ~4 PFMinQ# s16 *PFMin_SF !
    VArAct e16 ! {1:switch,2:maintain}
    ClcTotVA e16 ! {1:vector,2:arithmetic}
    MaxRmpRte u16 % *MaxRmpRte_SF !
    ECPNomHz u16 Hz *ECPNomHz_SF !
    ConnPh e16 ! {1:a,2:b,3:c}
    WMax_SF sf
    VRef_SF sf
    VRefOfs_SF sf
    VMinMax_SF sf
    VAMax_SF sf
    VArMax_SF sf
    WGra_SF sf
    PFMin_SF sf
    MaxRmpRte_SF sf
    ECPNomHz_SF sf
    @122:status 10s
    PVConn b16 ^ {0:connected,1:available,2:operating,3:test}
    StorConn b16 {0:connected,1:available,2:operating,3:test}
    ECPConn b16 {0:disconnected,1:connected}
    ActWh a64 W.h ^
    ActVAh a64 V.A.h
    ~4 ActVArhQ# a64 var.h
    VArAval s16 var *VArAval_SF
    VArAval_SF sf
    WAval u16 W *WAval_SF
    WAval_SF sf
    StSetLimMsk b32 {0:wmax,1:vamax,2:varaval,3:varmaxq1,4:varmaxq2,5:varmaxq3,6:varmaxq4,7:pfminq1,8:pfminq2,9:pfminq3,10:pfminq4}
    StActCtl b32 {0:fixedw,1:fixedvar,2:fixedpf,3:volt-var,4:freq-watt-param,5:freq-watt-curve,6:dyn-reactive-current,7:lvrt,8:hvrt,9:watt-pf,10:volt-watt,12:scheduled,13:lfrt,14:hfrt}
    TmSrc str4
    Tms u32 s
    RtSt b16 {0:lvrt-active,1:hvrt-active,2:lfrt-active,3:hfrt-active}
    Ris u16 Ohm *Ris_SF
    Ris_SF sf
    @123:controls 10s
    Conn_WinTms u16 s !
    Conn_RvrtTms u16 s !
    Conn e16 ! {0:disconnect,1:connect}
    WMaxLimPct u16 % *WMaxLimPct_SF !
    WMaxLimPct_WinTms u16 s !
    WMaxLimPct_RvrtTms u16 s !
    WMaxLimPct_RmpTms u16 s !
    WMaxLim_Ena e16 ! {0:disabled,1:enabled}
    OutPFSet s16 *OutPFSet_SF !
    OutPFSet_WinTms u16 s !
    OutPFSet_RvrtTms u16 s !
    OutPFSet_RmpTms u16 s !
    OutPFSet_Ena e16 ! {0:disabled,1:enabled}
    VArWMaxPct s16 % *VArPct_SF !
    VArMaxPct s16 % *VArPct_SF !
    VArAvalPct s16 % *VArPct_SF !
    VArPct_WinTms u16 s !
    VArPct_RvrtTms u16 s !
    VArPct_RmpTms u16 s !
    VArPct_Mod e16 ! {0:none,1:wmax,2:varmax,3:varaval}
    VArPct_Ena e16 ! {0:disabled,1:enabled}
    WMaxLimPct_SF sf
    OutPFSet_SF sf
    VArPct_SF sf
    @124:storage 10s
    WChaMax u16 W *WChaMax_SF !
    WChaGra u16 %/s *WChaDisChaGra_SF !
    WDisChaGra u16 %/s *WChaDisChaGra_SF !
    StorCtl_Mod b16 ! {0:charge,1:discharge}
    VAChaMax u16 V.A *VAChaMax_SF !
    MinRsvPct u16 % *MinRsvPct_SF !
    ChaState u16 % ^ *ChaState_SF
    StorAval u16 A.h *StorAval_SF
    InBatV u16 V *InBatV_SF
    ChaSt e16 ^ {1:off,2:empty,3:discharging,4:charging,5:full,6:holding,7:testing}
    OutWRte s16 % *InOutWRte_SF !
    InWRte s16 % *InOutWRte_SF !
    InOutWRte_WinTms u16 s !
    InOutWRte_RvrtTms u16 s !
    InOutWRte_RmpTms u16 s !
    ChaGriSet e16 ! {0:pv,1:grid}
    WChaMax_SF sf
    WChaDisChaGra_SF sf
    VAChaMax_SF sf
    MinRsvPct_SF sf
    ChaState_SF sf
    StorAval_SF sf
    InBatV_SF sf
    InOutWRte_SF sf
    @125:pricing 1m
    ModEna b16 ! {0:enable}
    SigType e16 ! {0:unknown,1:absolute,2:relative,3:multiplier,4:level}
    Sig s16 *Sig_SF !
    WinTms u16 s !
    RvtTms u16 s !
    RmpTms u16 s !
    Sig_SF sf
    Pad pad
    @145:ext-settings 1m
    NomRmpUpRte u16 % *Rmp_SF !
    NomRmpDnRte u16 % *Rmp_SF !
    EmgRmpUpRte u16 % *Rmp_SF !
    EmgRmpDnRte u16 % *Rmp_SF !
    ConnRmpUpRte u16 % *Rmp_SF !
    ConnRmpDnRte u16 % *Rmp_SF !
    AGra u16 % *Rmp_SF !
    Rmp_SF sf
    @160:mppt 10s
    DCA_SF sf
    DCV_SF sf
    DCW_SF sf
    DCWH_SF sf
    Evt b32 {0:ground-fault,1:input-over-voltage,2:reserved-2,3:dc-disconnect,4:reserved-4,5:cabinet-open,6:manual-shutdown,7:over-temp,8:reserved-8,9:reserved-9,10:reserved-10,11:reserved-11,12:blown-fuse,13:under-temp,14:memory-loss,15:arc-detection,16:reserved-16,17:reserved-17,18:reserved-18,19:reserved-19,20:test-failed,21:input-under-voltage,22:input-over-current}
    N cnt
    TmsPer u16
    >module
    ID u16
    IDStr str8
    DCA u16 A *DCA_SF
    DCV u16 V *DCV_SF
    DCW u16 W ^ *DCW_SF
    DCWH a32 W.h *DCWH_SF
    Tms u32 s
    Tmp s16 degC
    DCSt e16 {1:off,2:sleeping,3:starting,4:mppt,5:throttled,6:shutting-down,7:fault,8:standby,9:test,10:reserved-10}
    DCEvt b32 {0:ground-fault,1:input-over-voltage,2:reserved-2,3:dc-disconnect,4:reserved-4,5:cabinet-open,6:manual-shutdown,7:over-temp,8:reserved-8,9:reserved-9,10:reserved-10,11:reserved-11,12:blown-fuse,13:under-temp,14:memory-loss,15:arc-detection,16:reserved-16,17:reserved-17,18:reserved-18,19:reserved-19,20:test-failed,21:input-under-voltage,22:input-over-current}
    <
    """#
}
