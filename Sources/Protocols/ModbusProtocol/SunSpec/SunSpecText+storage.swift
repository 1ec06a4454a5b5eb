extension SunSpecText {
  /// Batteries: models 801 to 809.
  static let storage = #"""
    @801:storage-base 10s
    DEPRECATED e16
    @802:battery 10s
    AHRtg u16 A.h *AHRtg_SF
    WHRtg u16 W.h *WHRtg_SF
    WChaRteMax u16 W *WChaDisChaMax_SF
    WDisChaRteMax u16 W *WChaDisChaMax_SF
    DisChaRte u16 % *DisChaRte_SF
    SoCMax u16 % *SoC_SF
    SoCMin u16 % *SoC_SF
    SocRsvMax u16 % *SoC_SF !
    SoCRsvMin u16 % *SoC_SF !
    SoC u16 % ^ *SoC_SF
    DoD u16 % *DoD_SF
    SoH u16 % ^ *SoH_SF
    NCyc u32
    ChaSt e16 {1:off,2:empty,3:discharging,4:charging,5:full,6:holding,7:testing}
    LocRemCtl e16 {0:remote,1:local}
    Hb u16
    CtrlHb u16 !
    AlmRst u16 !
    Typ e16 {0:not-applicable-unknown,1:lead-acid,2:nickel-metal-hydrate,3:nickel-cadmium,4:lithium-ion,5:carbon-zinc,6:zinc-chloride,7:alkaline,8:rechargeable-alkaline,9:sodium-sulfur,10:flow,99:other}
    State e16 ^ {1:disconnected,2:initializing,3:connected,4:standby,5:soc-protection,6:suspending,99:fault}
    StateVnd e16
    WarrDt u32
    Evt1 b32 ^ {0:communication-error,1:over-temp-alarm,2:over-temp-warning,3:under-temp-alarm,4:under-temp-warning,5:over-charge-current-alarm,6:over-charge-current-warning,7:over-discharge-current-alarm,8:over-discharge-current-warning,9:over-volt-alarm,10:over-volt-warning,11:under-volt-alarm,12:under-volt-warning,13:under-soc-min-alarm,14:under-soc-min-warning,15:over-soc-max-alarm,16:over-soc-max-warning,17:voltage-imbalance-warning,18:temperature-imbalance-alarm,19:temperature-imbalance-warning,20:contactor-error,21:fan-error,22:ground-fault,23:open-door-error,24:current-imbalance-warning,25:other-alarm,26:other-warning,27:reserved-1,28:configuration-alarm,29:configuration-warning}
    Evt2 b32
    EvtVnd1 b32
    EvtVnd2 b32
    V u16 V ^ *V_SF
    VMax u16 V *V_SF
    VMin u16 V *V_SF
    CellVMax u16 V *CellV_SF
    CellVMaxStr u16
    CellVMaxMod u16
    CellVMin u16 V *CellV_SF
    CellVMinStr u16
    CellVMinMod u16
    CellVAvg u16 V *CellV_SF
    A s16 A ^ *A_SF
    AChaMax u16 A *AMax_SF
    ADisChaMax u16 A *AMax_SF
    W s16 W ^ *W_SF
    ReqInvState e16 {0:no-request,1:start,2:stop}
    ReqW s16 W *W_SF
    SetOp e16 ! {1:connect,2:disconnect}
    SetInvState e16 ! {1:inverter-stopped,2:inverter-standby,3:inverter-started}
    AHRtg_SF sf
    WHRtg_SF sf
    WChaDisChaMax_SF sf
    DisChaRte_SF sf
    SoC_SF sf
    DoD_SF sf
    SoH_SF sf
    V_SF sf
    CellV_SF sf
    A_SF sf
    AMax_SF sf
    W_SF sf
    @803:lithium-bank 10s
    NStr u16
    NStrCon u16
    ModTmpMax s16 degC *ModTmp_SF
    ModTmpMaxStr u16
    ModTmpMaxMod u16
    ModTmpMin s16 degC *ModTmp_SF
    ModTmpMinStr u16
    ModTmpMinMod u16
    ModTmpAvg s16 degC ^ *ModTmp_SF
    StrVMax u16 V *V_SF
    StrVMaxStr u16
    StrVMin u16 V *V_SF
    StrVMinStr u16
    StrVAvg u16 V *V_SF
    StrAMax s16 A *A_SF
    StrAMaxStr u16
    StrAMin s16 A *A_SF
    StrAMinStr u16
    StrAAvg s16 A *A_SF
    NCellBal u16
    CellV_SF sf
    ModTmp_SF sf
    A_SF sf
    SoH_SF sf
    SoC_SF sf
    V_SF sf
    >string NStr
    StrNMod u16
    StrSt b32 {0:string-enabled,1:contactor-status}
    StrConFail e16 {0:no-failure,1:button-pushed,2:str-ground-fault,3:outside-voltage-range,4:string-not-enabled,5:fuse-open,6:contactor-failure,7:precharge-failure,8:string-fault}
    StrSoC u16 % *SoC_SF
    StrSoH u16 % *SoH_SF
    StrA s16 A *A_SF
    StrCellVMax u16 V *CellV_SF
    StrCellVMaxMod u16
    StrCellVMin u16 V *CellV_SF
    StrCellVMinMod u16
    StrCellVAvg u16 V *CellV_SF
    StrModTmpMax s16 degC *ModTmp_SF
    StrModTmpMaxMod u16
    StrModTmpMin s16 degC *ModTmp_SF
    StrModTmpMinMod u16
    StrModTmpAvg s16 degC *ModTmp_SF
    StrDisRsn e16 {0:none,1:fault,2:maintenance,3:external,4:other}
    StrConSt b32 {0:contactor-0,1:contactor-1,2:contactor-2,3:contactor-3,4:contactor-4,5:contactor-5,6:contactor-6,7:contactor-7,8:contactor-8,9:contactor-9,10:contactor-10,11:contactor-11,12:contactor-12,13:contactor-13,14:contactor-14,15:contactor-15,16:contactor-16,17:contactor-17,18:contactor-18,19:contactor-19,20:contactor-20,21:contactor-21,22:contactor-22,23:contactor-23,24:contactor-24,25:contactor-25,26:contactor-26,27:contactor-27,28:contactor-28,29:contactor-29,30:contactor-30}
    StrEvt1 b32 {0:communication-error,1:over-temp-alarm,2:over-temp-warning,3:under-temp-alarm,4:under-temp-warning,5:over-charge-current-alarm,6:over-charge-current-warning,7:over-discharge-current-alarm,8:over-discharge-current-warning,9:over-volt-alarm,10:over-volt-warning,11:under-volt-alarm,12:under-volt-warning,13:under-soc-min-alarm,14:under-soc-min-warning,15:over-soc-max-alarm,16:over-soc-max-warning,17:voltage-imbalance-warning,18:temperature-imbalance-alarm,19:temperature-imbalance-warning,20:contactor-error,21:fan-error,22:ground-fault,23:open-door-error,24:reserved-1,25:other-alarm,26:other-warning,27:reserved-2,28:configuration-alarm,29:configuration-warning}
    StrEvt2 b32
    StrEvtVnd1 b32
    StrEvtVnd2 b32
    StrSetEna e16 ! {1:enable-string,2:disable-string}
    StrSetCon e16 ! {1:connect-string,2:disconnect-string}
    Pad1 pad
    Pad2 pad
    <
    @804:lithium-string 10s
    Idx u16
    NMod u16
    St b32 ^ {0:string-enabled,1:contactor-status}
    ConFail e16 {0:no-failure,1:button-pushed,2:str-ground-fault,3:outside-voltage-range,4:string-not-enabled,5:fuse-open,6:contactor-failure,7:precharge-failure,8:string-fault}
    NCellBal u16
    SoC u16 % ^ *SoC_SF
    DoD u16 % *DoD_SF
    NCyc u32
    SoH u16 % *SoH_SF
    A s16 A *A_SF
    V u16 V *V_SF
    CellVMax u16 V *CellV_SF
    CellVMaxMod u16
    CellVMin u16 V *CellV_SF
    CellVMinMod u16
    CellVAvg u16 V *CellV_SF
    ModTmpMax s16 degC *ModTmp_SF
    ModTmpMaxMod u16
    ModTmpMin s16 degC *ModTmp_SF
    ModTmpMinMod u16
    ModTmpAvg s16 degC *ModTmp_SF
    Pad1 pad
    ConSt b32 {0:contactor-0,1:contactor-1,2:contactor-2,3:contactor-3,4:contactor-4,5:contactor-5,6:contactor-6,7:contactor-7,8:contactor-8,9:contactor-9,10:contactor-10,11:contactor-11,12:contactor-12,13:contactor-13,14:contactor-14,15:contactor-15,16:contactor-16,17:contactor-17,18:contactor-18,19:contactor-19,20:contactor-20,21:contactor-21,22:contactor-22,23:contactor-23,24:contactor-24,25:contactor-25,26:contactor-26,27:contactor-27,28:contactor-28,29:contactor-29,30:contactor-30}
    Evt1 b32 {0:communication-error,1:over-temp-alarm,2:over-temp-warning,3:under-temp-alarm,4:under-temp-warning,5:over-charge-current-alarm,6:over-charge-current-warning,7:over-discharge-current-alarm,8:over-discharge-current-warning,9:over-volt-alarm,10:over-volt-warning,11:under-volt-alarm,12:under-volt-warning,13:under-soc-min-alarm,14:under-soc-min-warning,15:over-soc-max-alarm,16:over-soc-max-warning,17:voltage-imbalance-warning,18:temperature-imbalance-alarm,19:temperature-imbalance-warning,20:contactor-error,21:fan-error,22:ground-fault,23:open-door-error,24:reserved-1,25:other-alarm,26:other-warning,27:reserved-2,28:configuration-alarm,29:configuration-warning}
    Evt2 b32
    EvtVnd1 b32
    EvtVnd2 b32
    SetEna e16 !
    SetCon e16 ! {1:connect-string,2:disconnect-string}
    SoC_SF sf
    SoH_SF sf
    DoD_SF sf
    A_SF sf
    V_SF sf
    CellV_SF sf
    ModTmp_SF sf
    Pad2 pad
    Pad3 pad
    Pad4 pad
    >module NMod
    ModNCell u16
    ModSoC u16 % *SoC_SF
    ModSoH u16 % *SoH_SF
    ModCellVMax u16 V *CellV_SF
    ModCellVMaxCell u16
    ModCellVMin u16 V *CellV_SF
    ModCellVMinCell u16
    ModCellVAvg u16 V *CellV_SF
    ModCellTmpMax s16 degC *ModTmp_SF
    ModCellTmpMaxCell u16
    ModCellTmpMin s16 degC *ModTmp_SF
    ModCellTmpMinCell u16
    ModCellTmpAvg s16 degC *ModTmp_SF
    Pad5 pad
    Pad6 pad
    Pad7 pad
    <
    @805:lithium-module 10s
    StrIdx u16
    ModIdx u16
    NCell u16
    SoC u16 % *SoC_SF
    DoD u16 % *DoD_SF
    SoH u16 % *SoH_SF
    NCyc u32
    V u16 V *V_SF
    CellVMax u16 V *CellV_SF
    CellVMaxCell u16
    CellVMin u16 V *CellV_SF
    CellVMinCell u16
    CellVAvg u16 V *CellV_SF
    CellTmpMax s16 degC *Tmp_SF
    CellTmpMaxCell u16
    CellTmpMin s16 degC *Tmp_SF
    CellTmpMinCell u16
    CellTmpAvg s16 degC *Tmp_SF
    NCellBal u16
    SN str16
    SoC_SF sf
    SoH_SF sf
    DoD_SF sf
    V_SF sf
    CellV_SF sf
    Tmp_SF sf
    >cell
    CellV u16 V *CellV_SF
    CellTmp s16 degC *Tmp_SF
    CellSt b32 {0:cell-is-balancing}
    <
    @806:flow-battery 10s
    BatTBD u16
    >string
    BatStTBD u16
    <
    @807:flow-string 10s
    Idx u16
    NMod u16
    NModCon u16
    ModVMax u16 V *ModV_SF
    ModVMaxMod u16
    ModVMin u16 V *ModV_SF
    ModVMinMod u16
    ModVAvg u16 V *ModV_SF
    CellVMax u16 V *CellV_SF
    CellVMaxMod u16
    CellVMaxStk u16
    CellVMin u16 V *CellV_SF
    CellVMinMod u16
    CellVMinStk u16
    CellVAvg u16 V *CellV_SF
    TmpMax s16 degC *Tmp_SF
    TmpMaxMod u16
    TmpMin s16 degC *Tmp_SF
    TmpMinMod u16
    TmpAvg s16 degC *Tmp_SF
    Evt1 b32 {0:communication-error,1:over-temp-alarm,2:over-temp-warning,3:under-temp-alarm,4:under-temp-warning,5:over-charge-current-alarm,6:over-charge-current-warning,7:over-discharge-current-alarm,8:over-discharge-current-warning,9:over-volt-alarm,10:over-volt-warning,11:under-volt-alarm,12:under-volt-warning,13:under-soc-min-alarm,14:under-soc-min-warning,15:over-soc-max-alarm,16:over-soc-max-warning,17:voltage-imbalance-warning,18:reserved-1,19:reserved-2,20:contactor-error,21:fan-error,22:ground-fault,23:open-door-error,24:reserved-3,25:other-alarm,26:other-warning,27:fire-alarm,28:configuration-alarm,29:configuration-warning}
    Evt2 b32 {0:leak-alarm,1:pump-alarm,2:high-pressure-alarm,3:high-pressure-warning,4:low-flow-alarm,5:low-flow-warning}
    EvtVnd1 b32
    EvtVnd2 b32
    ModV_SF sf
    CellV_SF sf
    Tmp_SF sf
    SoC_SF sf
    OCV_SF sf
    Pad1 pad
    >module
    ModIdx u16
    ModNStk u16
    ModSt b32 {0:module-enabled,1:contactor-status}
    ModSoC u16 % *SoC_SF
    ModOCV u16 V *OCV_SF
    ModV u16 V *ModV_SF
    ModCellVMax u16 V *CellV_SF
    ModCellVMaxCell u16
    ModCellVMin u16 V *CellV_SF
    ModCellVMinCell u16
    ModCellVAvg u16 V *CellV_SF
    ModAnoTmp u16 degC *Tmp_SF
    ModCatTmp u16 degC *Tmp_SF
    ModConSt b32 {0:contactor-0,1:contactor-1,2:contactor-2,3:contactor-3,4:contactor-4,5:contactor-5,6:contactor-6,7:contactor-7,8:contactor-8,9:contactor-9,10:contactor-10,11:contactor-11,12:contactor-12,13:contactor-13,14:contactor-14,15:contactor-15,16:contactor-16,17:contactor-17,18:contactor-18,19:contactor-19,20:contactor-20,21:contactor-21,22:contactor-22,23:contactor-23,24:contactor-24,25:contactor-25,26:contactor-26,27:contactor-27,28:contactor-28,29:contactor-29,30:contactor-30}
    ModEvt1 b32 {0:communication-error,1:over-temp-alarm,2:over-temp-warning,3:under-temp-alarm,4:under-temp-warning,5:over-charge-current-alarm,6:over-charge-current-warning,7:over-discharge-current-alarm,8:over-discharge-current-warning,9:over-volt-alarm,10:over-volt-warning,11:under-volt-alarm,12:under-volt-warning,13:under-soc-min-alarm,14:under-soc-min-warning,15:over-soc-max-alarm,16:over-soc-max-warning,17:voltage-imbalance-warning,18:reserved-1,19:reserved-2,20:contactor-error,21:fan-error,22:ground-fault,23:open-door-error,24:reserved-3,25:reserved-4,26:reserved-5,27:fire-alarm,28:module-configuration-alarm,29:module-configuration-warning}
    ModEvt2 b32 {0:leak-alarm,1:pump-alarm,2:high-pressure-alarm,3:high-pressure-warning,4:low-flow-alarm,5:low-flow-warning}
    ModConFail e16 {0:no-failure,1:button-pushed,2:module-ground-fault,3:outside-voltage-range,4:module-not-enabled,5:fuse-open,6:contactor-failure,7:precharge-failure,8:module-fault}
    ModSetEna e16 ! {1:enable-module,2:disable-module}
    ModSetCon e16 ! {1:connect-module,2:disconnect-module}
    ModDisRsn e16 {0:none,1:fault,2:maintenance,3:external,4:other}
    <
    @808:flow-module 10s
    ModuleTBD u16
    >stack
    StackTBD u16
    <
    @809:flow-stack 10s
    StackTBD u16
    >cell
    CellTBD u16
    <
    """#
}
