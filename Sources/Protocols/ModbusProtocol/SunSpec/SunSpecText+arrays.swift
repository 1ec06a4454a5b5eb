extension SunSpecText {
  /// Strings, modules and trackers: models 401 to 404, 501, 502 and 601.
  static let arrays = #"""
    @401:combiner 10s
    DCA_SF sf
    DCAhr_SF sf
    DCV_SF sf
    DCAMax u16 A *DCA_SF
    N cnt
    Evt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    EvtVnd b32
    DCA s16 A ^ *DCA_SF
    DCAhr u32 A.h *DCAhr_SF
    DCV u16 V ^ *DCV_SF
    Tmp s16 degC
    >string
    InID u16
    InEvt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    InEvtVnd b32
    InDCA s16 A *DCA_SF
    InDCAhr u32 A.h *DCAhr_SF
    <
    @402:combiner 10s
    DCA_SF sf
    DCAhr_SF sf
    DCV_SF sf
    DCW_SF sf
    DCWh_SF sf
    DCAMax u16 A
    N cnt
    Evt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    EvtVnd b32
    DCA s16 A ^ *DCA_SF
    DCAhr u32 A.h *DCAhr_SF
    DCV u16 V ^ *DCV_SF
    Tmp s16 degC
    DCW s16 W ^ *DCW_SF
    DCPR u16 %
    DCWh u32 W.h *DCWh_SF
    >string
    InID u16
    InEvt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    EvtVnd b32
    InDCA s16 A *DCA_SF
    InDCAhr u32 A.h *DCAhr_SF
    InDCV u16 V *DCV_SF
    InDCW s16 W *DCWh_SF
    InDCWh u32 W.h
    InDCPR u16 %
    InN u16
    <
    @403:combiner 10s
    DCA_SF sf
    DCAhr_SF sf
    DCV_SF sf
    DCAMax u16 A *DCA_SF
    N cnt
    Evt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    EvtVnd b32
    DCA s16 A ^ *DCA_SF
    DCAhr a32 A.h *DCAhr_SF
    DCV s16 V ^ *DCV_SF
    Tmp s16 degC
    InDCA_SF sf
    InDCAhr_SF sf
    >string
    InID u16
    InEvt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    InEvtVnd b32
    InDCA s16 A *InDCA_SF
    InDCAhr a32 A.h *InDCAhr_SF
    <
    @404:combiner 10s
    DCA_SF sf
    DCAhr_SF sf
    DCV_SF sf
    DCW_SF sf
    DCWh_SF sf
    DCAMax u16 A *DCA_SF
    N cnt
    Evt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    EvtVnd b32
    DCA s16 A ^ *DCA_SF
    DCAhr a32 A.h *DCAhr_SF
    DCV s16 V ^ *DCV_SF
    Tmp s16 degC
    DCW s16 W ^ *DCW_SF
    DCPR s16 %
    DCWh a32 W.h *DCWh_SF
    InDCA_SF sf
    InDCAhr_SF sf
    InDCV_SF sf
    InDCW_SF sf
    InDCWh_SF sf
    >string
    InID u16
    InEvt b32 {0:low-voltage,1:low-power,2:low-efficiency,3:current,4:voltage,5:power,6:pr,7:disconnected,8:fuse-fault,9:combiner-fuse-fault,10:combiner-cabinet-open,11:temp,12:groundfault,13:reversed-polarity,14:incompatible,15:comm-error,16:internal-error,17:theft,18:arc-detected}
    InEvtVnd b32
    InDCA s16 A *InDCA_SF
    InDCAhr a32 A.h *InDCAhr_SF
    InDCV s16 V *InDCV_SF
    InDCW s16 W *InDCW_SF
    InDCWh a32 W.h *InDCWh_SF
    InDCPR u16 %
    InN u16
    <
    @501:module 10s
    Stat e16 {1:off,2:sleeping,3:starting,4:mppt,5:throttled,6:shutting-down,7:fault,8:standby,9:test,10:other}
    StatVend e16
    Evt b32 {0:ground-fault,1:input-over-voltage,2:reserved-2,3:dc-disconnect,4:reserved-4,5:reserved-5,6:manual-shutdown,7:over-temperature,8:reserved-8,9:reserved-9,10:reserved-10,11:reserved-11,12:blown-fuse,13:under-temperature,14:memory-loss,15:arc-detection,16:theft-detection,17:output-over-current,18:output-over-voltage,19:output-under-voltage,20:test-failed}
    EvtVend b32
    Ctl e16 !
    CtlVend e32 !
    CtlVal s32 !
    Tms u32 s
    OutA f32 A
    OutV f32 V
    OutWh f32 W.h
    OutW f32 W
    Tmp f32 degC
    InA f32 A
    InV f32 V
    InWh f32 W.h ^
    InW f32 W
    @502:module 10s
    A_SF sf
    V_SF sf
    W_SF sf
    Wh_SF sf
    Stat e16 {1:off,2:sleeping,3:starting,4:mppt,5:throttled,6:shutting-down,7:fault,8:standby,9:test,10:other}
    StatVend e16
    Evt b32 {0:ground-fault,1:input-over-voltage,2:reserved-2,3:dc-disconnect,4:reserved-4,5:reserved-5,6:manual-shutdown,7:over-temperature,8:reserved-8,9:reserved-9,10:reserved-10,11:reserved-11,12:blown-fuse,13:under-temperature,14:memory-loss,15:arc-detection,16:theft-detection,17:output-over-current,18:output-over-voltage,19:output-under-voltage,20:test-failed}
    EvtVend b32
    Ctl e16 !
    CtlVend e32 !
    CtlVal s32 !
    Tms u32 s
    OutA s16 A *A_SF
    OutV s16 V *V_SF
    OutWh a32 W.h *Wh_SF
    OutPw s16 W ^ *W_SF
    Tmp s16 degC
    InA s16 A *A_SF
    InV s16 V *V_SF
    InWh a32 W.h ^ *Wh_SF
    InW s16 W *W_SF
    @601:tracker 10s
    Nam str8
    Typ e16 {0:unknown,1:fixed,2:horizontal,3:tilted,4:azimuth,5:dual,99:other}
    DtLoc str5
    TmLoc str3
    Day u16
    GlblElCtl s32 deg ^ *Dgr_SF !
    GlblAzCtl s32 deg *Dgr_SF !
    GlblCtl e16 ! {0:automatic,1:manual,2:calibrate}
    GlblAlm b16 {0:setpoint,1:obsel,2:obsaz}
    Dgr_SF sf
    N u16
    >tracker
    Id str8
    ElTrgt s32 deg *Dgr_SF
    AzTrgt s32 deg *Dgr_SF
    ElPos s32 deg *Dgr_SF
    AzPos s32 deg *Dgr_SF
    ElCtl s32 deg *Dgr_SF !
    AzCtl s32 deg *Dgr_SF !
    Ctl e16 ! {0:automatic,1:manual,2:calibrate}
    Alm b16 {0:setpoint,1:obsel,2:obsaz}
    <
    """#
}
